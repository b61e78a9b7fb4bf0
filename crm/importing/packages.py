"""The zip package around a workbook, measured part by part, so that no bomb reaches the parser."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from crm.importing.extents import Extent, SheetFault, TooLarge, fits_at_a_glance
from crm.importing.formats import Unreadable

MOST_BYTES = 512 * 1024 * 1024
MOST_RATIO = 200
_RATIO_FROM = 10 * 1024 * 1024
_CHUNK = 1 << 20
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_BROKEN = "The workbook is damaged ({}); open it in a spreadsheet program and save it again, or as CSV"
_FAULTS = (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, RuntimeError)


def part_names(path: Path) -> set[str]:
    try:
        with zipfile.ZipFile(path) as package:
            return set(package.namelist())
    except _FAULTS as error:
        raise Unreadable(_BROKEN.format(error)) from error


def check_package(path: Path) -> None:
    """Refuse what would not fit in memory: by declared sizes, true sizes, and the area that cells span.

    The parser allocates every cell between the first and the last one used: two cells can take gigabytes.
    """
    try:
        with zipfile.ZipFile(path) as package, path.open("rb") as stream:
            parts = package.infolist()
            _check_declared(parts, path.stat().st_size)
            for part in parts:
                if not part.filename.lower().endswith((".xml", ".rels")):
                    _check_no_cells(part.filename, _inflate(stream, part))
                elif not fits_at_a_glance(_inflate(stream, part)):
                    Extent().measure(_inflate(stream, part))
    except TooLarge as error:
        raise Unreadable(
            f"The workbook is too large ({error}); save the sheet as CSV, which has no such limit"
        ) from error
    except (*_FAULTS, SheetFault) as error:
        raise Unreadable(_BROKEN.format(error)) from error


def _check_declared(parts: list[zipfile.ZipInfo], size: int) -> None:
    total = sum(part.file_size for part in parts)
    if total > MOST_BYTES:
        raise TooLarge(f"{total >> 20} MB unpacked, at most {MOST_BYTES >> 20}")
    if total > max(_RATIO_FROM, size * MOST_RATIO):
        raise Unreadable(_BROKEN.format(f"it unpacks to {total // size} times its size"))


def _inflate(stream: BinaryIO, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes that are really there, unlike zipfile's, which end where the directory says."""
    stream.seek(part.header_offset)
    magic, name, extra = _LOCAL_HEADER.unpack(stream.read(_LOCAL_HEADER.size))
    if magic != b"PK\x03\x04" or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(f"{part.filename} cannot be unpacked")
    stream.seek(name + extra, 1)
    engine = zlib.decompressobj(-zlib.MAX_WBITS) if part.compress_type == zipfile.ZIP_DEFLATED else None
    left, true_size = part.compress_size, 0
    while left > 0 and (packed := stream.read(min(_CHUNK, left))):
        left -= len(packed)
        while packed:
            data = engine.decompress(packed, _CHUNK) if engine else packed
            packed = engine.unconsumed_tail if engine else b""
            true_size += len(data)
            if true_size > part.file_size:
                raise zipfile.BadZipFile(f"{part.filename} is longer than declared")
            if data:
                yield data
    if left or true_size != part.file_size:
        raise zipfile.BadZipFile(f"{part.filename} is shorter than declared")


def _check_no_cells(name: str, chunks: Iterator[bytes]) -> None:
    tail = b""
    for chunk in chunks:
        if b"sheetData" in tail + chunk:
            raise Unreadable(_BROKEN.format(f"{name} holds a sheet under a strange name"))
        tail = chunk[-8:]
