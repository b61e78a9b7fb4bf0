"""Physical lines of a file in constant memory, with a way back to the line after a record's first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from crm.importing.encodings import ByteStream, decoded_as, open_text

MOST_RECORD_LINES = 100
MOST_RECORD_BYTES = 64 * 1024
BLOCK = 128 * 1024


class StillOpen(Exception):
    """A record has taken more lines or bytes than one may have."""


class Undecodable:
    """A byte that the encoding does not have, and where it is."""

    def __init__(self, line: int, error: UnicodeDecodeError) -> None:
        self.line = line
        self.byte = error.object[error.start]


class Lines:
    """Lines ended by LF, CR LF or CR, read by group (fast) or by record (careful)."""

    def __init__(self, stream: ByteStream, encoding: str) -> None:
        self._blocks = line_blocks(stream)
        self._encoding = encoding
        self._lines: list[bytes] = []
        self._first = 1  # the line number of _lines[0]
        self._at = 0
        self.begin()

    @property
    def number(self) -> int:
        """The number of the line that comes next."""
        return self._first + self._at

    @property
    def taken(self) -> int:
        """How many lines the current record has taken."""
        return self._at - self._began

    def group(self) -> list[bytes]:
        """The lines at hand, none only at the end of the file. They stay unread until `skip`."""
        if self._at == len(self._lines):
            self.begin()
            self._read_block()
        return self._lines[self._at :]

    def decode(self, group: list[bytes]) -> list[str]:
        return b"\n".join(group).decode(self._encoding).split("\n")

    def skip(self, count: int) -> None:
        self._at += count

    def begin(self) -> None:
        """A record begins here."""
        self._began = self._at
        self.size = 0
        self.undecodable: Undecodable | None = None

    def back(self) -> None:
        """Go on with the line after the one where the record began."""
        self._at = self._began + 1

    def first_text(self) -> str:
        return self._lines[self._began].decode(self._encoding, "replace")

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.taken >= MOST_RECORD_LINES or self.size > MOST_RECORD_BYTES:
            raise StillOpen
        if self._at == len(self._lines) and not self._read_block():
            raise StopIteration
        line = self._lines[self._at]
        self._at += 1
        self.size += len(line) + 1
        try:
            return line.decode(self._encoding) + "\n"
        except UnicodeDecodeError as error:
            self.undecodable = self.undecodable or Undecodable(self.number - 1, error)
            return line.decode(self._encoding, "replace") + "\n"

    def _read_block(self) -> bool:
        """Put the next block behind the record that is being read; forget what lies before it."""
        block = next(self._blocks, None)
        if block is None:
            return False
        self._lines = self._lines[self._began :] + block
        self._first += self._began
        self._at -= self._began
        self._began = 0
        return True


def open_lines(stream: BinaryIO, encoding: str) -> Lines:
    return Lines(open_text(stream, encoding), decoded_as(encoding))


def line_blocks(stream: ByteStream) -> Iterator[list[bytes]]:
    """Whole lines by the block. Of a line too long for any record only enough is kept to refuse it."""
    held = b""
    while data := stream.read(BLOCK):
        data = held + data
        # The LF of a CR LF may be in the next block.
        pending = b"\r" if data.endswith(b"\r") else b""
        data = data.removesuffix(pending).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = data.split(b"\n")
        if lines:
            yield lines
        held = rest[: MOST_RECORD_BYTES + 1] + pending
    if held:
        yield [held.removesuffix(b"\r")]
