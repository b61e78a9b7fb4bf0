"""Which character parts the cells, by how constant the number of columns is with each."""

from __future__ import annotations

import io
import re
from itertools import islice
from typing import NamedTuple

from crm.importing.delimited import Fault, split_records
from crm.importing.encodings import ByteStream
from crm.importing.formats import Unreadable
from crm.importing.lines import Lines

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_RECORDS = 100
_SAMPLE = 256 * 1024
_ENOUGH = 0.5  # of the records have as many cells as the header
# Spreadsheets read and write this as a first line; it is no data.
_DECLARATION = re.compile(rb'"?sep=([^\r\n"])"?\s*')


class _Score(NamedTuple):
    """Compared in this order: really parts the cells, share of like records, columns."""

    parts: bool
    constancy: float
    columns: int


def known_delimiter(character: str) -> str:
    """The delimiter that a person named."""
    if len(character) != 1 or character in '"\r\n\0':
        offered = ", ".join(DELIMITERS.values())
        raise Unreadable(f"The delimiter must be one character, not {character!r}; try one of {offered}")
    return character


def declared_delimiter(line: bytes) -> str | None:
    """The delimiter that a first line such as `sep=;` declares."""
    declaration = _DECLARATION.fullmatch(line)
    return declaration[1].decode("latin-1") if declaration else None


def detect_delimiter(text: ByteStream, codec: str) -> str:
    sample = text.read(_SAMPLE)
    if declared := declared_delimiter(re.split(rb"[\r\n]", sample, maxsplit=1)[0]):
        return known_delimiter(declared)
    if len(sample) == _SAMPLE:
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    return max(DELIMITERS, key=lambda delimiter: _score(sample, codec, delimiter))


def _score(sample: bytes, codec: str, delimiter: str) -> _Score:
    records = islice(split_records(Lines(io.BytesIO(sample), codec), delimiter), _RECORDS)
    widths = [len(cells) for _, cells in records if not isinstance(cells, Fault)]
    if not widths:
        return _Score(False, 0, 0)
    columns = widths[0]
    constancy = widths.count(columns) / len(widths)
    return _Score(columns > 1 and constancy >= _ENOUGH, constancy, columns)
