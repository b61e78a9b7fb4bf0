"""Reading an uploaded file: what it is, the words of its header, and its records one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from crm.importing.delimited import read_header, read_records
from crm.importing.delimiters import declared_delimiter, detect_delimiter, known_delimiter
from crm.importing.encodings import decoded_as, detect_encoding, known_encoding, open_text
from crm.importing.formats import Format, Record, Reject, Unreadable
from crm.importing.lines import Lines, open_lines
from crm.importing.packages import part_names
from crm.importing.workbooks import open_sheet, read_sheet

_SAVE_AS = "save the table as CSV or XLSX"
_SIGNATURES = {
    b"\xd0\xcf\x11\xe0": f"an old Excel file (.xls) or has a password; {_SAVE_AS} without one",
    b"%PDF": f"a PDF; {_SAVE_AS}",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"\x1f\x8b": "packed with gzip; unpack it first",
    b"BZh": "packed with bzip2; unpack it first",
    b"\xfd7zXZ": "packed with xz; unpack it first",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"PK\x05\x06": "an empty zip archive",
    b"SQLite format 3\0": f"an SQLite database; {_SAVE_AS}",
    b"{\\rtf": f"a text document (RTF); {_SAVE_AS}",
}
_MARKUP = (b"<html", b"<!doctype", b"<?xml", b"<table", b"<meta", b"<head")
_JSON = (b'{"', b'[{"', b"[{\n")
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b"))
_HEAD = 64 * 1024


def detect(path: Path | str, *, encoding: str = "", delimiter: str = "") -> Format:
    """What the file is; the encoding and the delimiter that a person chose are believed."""
    path = Path(path)
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        raise Unreadable("The file is empty")
    if head.startswith(b"PK\x03\x04"):
        _check_is_workbook(path)
        return Format("xlsx")
    _refuse_other_files(head)
    encoding = known_encoding(encoding) if encoding else detect_encoding(path)
    if encoding not in {"utf-16-le", "utf-16-be"}:
        _refuse_binary(head)
    return Format("csv", encoding, known_delimiter(delimiter) if delimiter else _delimiter(path, encoding))


def headers(path: Path | str, file_format: Format) -> list[str]:
    """The names of the columns, each once, as records and rejects name them."""
    if file_format.kind == "xlsx":
        return open_sheet(Path(path)).header
    with _open_table(Path(path), file_format) as (_, header):
        return header


def records(path: Path | str, file_format: Format, *, start: int = 0) -> Iterator[Record | Reject]:
    """Everything after the first `start` rows, readable or not, each with its number; in constant memory."""
    if file_format.kind == "xlsx":
        yield from read_sheet(open_sheet(Path(path)), start)
        return
    with _open_table(Path(path), file_format) as (lines, header):
        yield from read_records(lines, file_format.delimiter, header, start)


def sample(path: Path | str, file_format: Format, count: int = 100) -> list[list[str]]:
    """The cells of the first readable rows, for a preview and for recognising columns."""
    first = islice(records(path, file_format), 2 * count)
    return [item.cells for item in first if isinstance(item, Record)][:count]


@contextmanager
def _open_table(path: Path, file_format: Format) -> Iterator[tuple[Lines, list[str]]]:
    with path.open("rb") as stream:
        lines = open_lines(stream, file_format.encoding)
        group = lines.group()
        if not group:
            raise Unreadable("The file is empty")
        if declared_delimiter(group[0]):
            lines.skip(1)
        yield lines, read_header(lines, file_format.delimiter)


def _delimiter(path: Path, encoding: str) -> str:
    with path.open("rb") as stream:
        return detect_delimiter(open_text(stream, encoding), decoded_as(encoding))


def _check_is_workbook(path: Path) -> None:
    names = part_names(path)
    if "[Content_Types].xml" in names and "xl/workbook.xml" in names:
        return
    if "word/document.xml" in names:
        raise Unreadable(f"The file is a Word document; {_SAVE_AS}")
    if "xl/workbook.bin" in names or "content.xml" in names:
        raise Unreadable("The file is a spreadsheet, but not in the XLSX format; save it as XLSX or CSV")
    raise Unreadable("The file is a zip archive; unpack it and upload the CSV or XLSX file in it")


def _refuse_other_files(head: bytes) -> None:
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature):
            raise Unreadable(f"The file is {kind}")
    text = head[:256].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_MARKUP):
        raise Unreadable(f"The file is a web page or XML, whatever its name says; {_SAVE_AS}")
    if text.startswith(_JSON):
        raise Unreadable(f"The file is JSON; {_SAVE_AS}")


def _refuse_binary(head: bytes) -> None:
    """A stray NUL costs its row; a file full of control characters is no text at all."""
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls >= 32 and controls > len(head) / 20:
        raise Unreadable(f"The file is binary, not text; {_SAVE_AS}")
