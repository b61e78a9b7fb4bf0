"""Which encoding a text file is in, and its bytes as a stream in which newlines and quotes are ASCII."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import chardet

from crm.importing.formats import Unreadable

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16, little endian",
    "utf-16-be": "UTF-16, big endian",
    "cp1252": "Windows-1252 (Western Europe)",
    "iso8859-15": "ISO-8859-15 (Western Europe)",
    "cp1250": "Windows-1250 (Central Europe)",
    "iso8859-2": "ISO-8859-2 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "koi8-r": "KOI8-R (Russian)",
    "koi8-u": "KOI8-U (Ukrainian)",
    "iso8859-5": "ISO-8859-5 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "iso8859-7": "ISO-8859-7 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp1257": "Windows-1257 (Baltic)",
    "cp1258": "Windows-1258 (Vietnamese)",
    "cp850": "DOS 850 (Western Europe)",
    "cp852": "DOS 852 (Central Europe)",
    "cp866": "DOS 866 (Cyrillic)",
    "mac-roman": "Mac Roman",
    "cp932": "Shift JIS (Japanese)",
    "euc-jp": "EUC-JP (Japanese)",
    "gb18030": "GB18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "cp949": "EUC-KR (Korean)",
}
# Supersets that files really use, although they name the smaller set.
_READ_AS = {"ascii": "utf-8", "utf-8-sig": "utf-8", "iso8859-1": "cp1252", "utf-16": "utf-16-le"}
_READ_AS |= {"shift_jis": "cp932", "gbk": "gb18030", "gb2312": "gb18030", "euc_kr": "cp949"}
_BY_CODEC = {codecs.lookup(name).name: name for name in ENCODINGS}
# What statistics may propose: UTF has been tried by then, and DOS sets only add noise.
_GUESSES = [name for name in ENCODINGS if not name.startswith(("utf", "cp8"))]

_WIDE = ("utf-16-le", "utf-16-be")
_MARKS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}

_CHUNK = 1 << 20
_SAMPLE = 256 * 1024
# chardet's confidence is small on lists of names (0.05 to 0.35), so it is compared with its confidence in
# Windows-1252: Western text measured 0.9 to 1.9 times that, every other family more than 3 times.
_SURE = 3


class ByteStream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def known_encoding(name: str) -> str:
    """The encoding a person named, in our spelling."""
    try:
        codec = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        codec = ""
    codec = _READ_AS.get(codec, codec)
    if (known := _BY_CODEC.get(codec)) is None:
        raise Unreadable(f'The encoding "{name}" is not known here; try one of {", ".join(ENCODINGS)}')
    return known


def detect_encoding(path: Path) -> str:
    """Byte order mark, else strict UTF-8 over the whole file, else Windows-1252 unless another is clear."""
    with path.open("rb") as stream:
        head = stream.read(4096)
        if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            raise Unreadable("The file is UTF-32 text, which is not read; save it as UTF-8")
        for encoding, mark in _MARKS.items():
            if head.startswith(mark):
                return encoding
        if wide := _wide_without_mark(head):
            return wide
        stream.seek(0)
        if _is_utf8(stream):
            return "utf-8"
        stream.seek(0)
        return _guess(_sample(stream))


def open_text(stream: BinaryIO, encoding: str) -> ByteStream:
    """The stream after its byte order mark; UTF-16 comes out as UTF-8 (see `decoded_as`)."""
    mark = _MARKS.get(encoding, b"")
    if not mark or stream.read(len(mark)) != mark:
        stream.seek(0)
    return _Narrowed(stream, encoding) if encoding in _WIDE else stream


def decoded_as(encoding: str) -> str:
    """The codec for the bytes that `open_text` gives."""
    return "utf-8" if encoding in _WIDE else encoding


class _Narrowed:
    """UTF-16 as UTF-8; what is broken in the one is broken in the other, so that its row is refused."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder: Any = codecs.getincrementaldecoder(encoding)("surrogatepass")

    def read(self, size: int, /) -> bytes:
        while data := self._stream.read(size):
            if text := self._decoder.decode(data):
                return text.encode("utf-8", "surrogatepass")
        half_a_character, _ = self._decoder.getstate()
        self._decoder.reset()
        return b"\xff" if half_a_character else b""


def _wide_without_mark(head: bytes) -> str | None:
    """Latin text in UTF-16 has a NUL in nearly every second byte."""
    pairs = len(head) // 2
    if pairs < 4:
        return None
    even, odd = head[: pairs * 2 : 2].count(0) / pairs, head[1 : pairs * 2 : 2].count(0) / pairs
    if odd > 0.6 and even < 0.05:
        return "utf-16-le"
    if even > 0.6 and odd < 0.05:
        return "utf-16-be"
    return None


def _is_utf8(stream: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        while chunk := stream.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _sample(stream: BinaryIO) -> bytes:
    """The first lines that are not plain ASCII: the others tell nothing."""
    sample: list[bytes] = []
    size, tail = 0, b""
    while size < _SAMPLE and (chunk := stream.read(_CHUNK)):
        *lines, tail = (tail[-_SAMPLE:] + chunk).split(b"\n")
        telling = [line for line in lines if not line.isascii()]
        sample += telling
        size += sum(map(len, telling))
    if size < _SAMPLE and not tail.isascii():
        sample.append(tail)
    return b"\n".join(sample)[:_SAMPLE]


def _guess(sample: bytes) -> str:
    if _mostly_utf8(sample):
        return "utf-8"
    guesses = chardet.detect_all(sample, ignore_threshold=True, max_bytes=_SAMPLE, include_encodings=_GUESSES)
    western = max((one["confidence"] for one in guesses if _same(one["encoding"], "cp1252")), default=0)
    best = guesses[0] if guesses else None
    if best is None or best["encoding"] is None or best["confidence"] < max(_SURE * western, 0.02):
        return "cp1252"
    try:
        return known_encoding(best["encoding"])
    except Unreadable:
        return "cp1252"


def _mostly_utf8(sample: bytes) -> bool:
    """A few broken bytes in UTF-8 lose their own rows; read as Windows-1252 they would garble all others."""
    text = sample.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return len(text) - len(text.encode("ascii", "ignore")) > 20 * broken


def _same(name: str | None, encoding: str) -> bool:
    return name is not None and codecs.lookup(name).name == codecs.lookup(encoding).name
