"""What must hold for every file, tried on files made to be hard."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.importing import lines
from crm.importing.formats import Format, Record, Reject, Unreadable
from crm.importing.reading import detect, headers, records

COMMA = Format("csv", "utf-8", ",")
CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=12)
NASTY = st.lists(
    st.sampled_from(
        [
            b'"',
            b",",
            b"\n",
            b"\r\n",
            b"\r",
            b"a",
            b"\0",
            b"\xe9",
            "é".encode(),
            b'""',
            b'",',
            b"bb,cc\n",
            b" ",
        ]
    ),
    max_size=60,
).map(b"".join)
BAD_LINES = st.sampled_from(
    [b"one,two", b"1,2,3,4", b'x"y,"z"t,3', b"n\0l,b,c", b"\xff,b,c", b'a,"open,c', b'"']
)


def on_disk(content: bytes, read):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(content)
        return read(path)


def everything(path: Path) -> list[Record | Reject]:
    """All that an import asks of a file."""
    try:
        file_format = detect(path)
        names = headers(path, file_format)
        items = list(records(path, file_format))
    except Unreadable:
        return []
    assert all(len(item.cells) == len(names) for item in items if isinstance(item, Record))
    return items


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400) | NASTY | NASTY.map(lambda rows: b"a,b,c\n" + rows))
def test_any_bytes_are_read_or_refused_with_a_reason(content):
    items = on_disk(content, everything)

    assert [item.number for item in items] == list(range(1, len(items) + 1))
    assert all("\0" not in "".join(item.cells) for item in items)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_read_or_refused_with_a_reason(data):
    content = bytearray(small_workbook())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))

    on_disk(bytes(content), everything)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_workbook_with_damaged_xml_is_read_or_refused_with_a_reason(data):
    source = zipfile.ZipFile(io.BytesIO(small_workbook()))
    damaged = io.BytesIO()
    victim = data.draw(st.sampled_from([name for name in source.namelist() if name.startswith("xl/")]))
    with zipfile.ZipFile(damaged, "w") as package:
        for name in source.namelist():
            part = bytearray(source.read(name))
            if name == victim:
                at = data.draw(st.integers(0, len(part) - 1))
                part[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
            package.writestr(name, bytes(part))

    on_disk(damaged.getvalue(), everything)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=30), st.sampled_from(["\n", "\r\n"]))
def test_what_a_csv_writer_wrote_comes_back(rows, ending):
    rows = [[cell.replace("\r", "") for cell in row] for row in rows]
    text = io.StringIO()
    csv.writer(text, lineterminator=ending).writerows([["a", "b", "c"], *rows])

    items = on_disk(text.getvalue().encode(), lambda path: list(records(path, COMMA)))

    assert [item.cells for item in items] == [row for row in rows if "".join(row).strip()]


@settings(max_examples=200, deadline=None)
@given(st.lists(BAD_LINES | st.none(), max_size=40))
def test_good_rows_survive_around_bad_ones(plan):
    body = [bad or b"good%d,b,c" % at for at, bad in enumerate(plan)]

    items = on_disk(b"a,b,c\n" + b"\n".join(body) + b"\n", lambda path: list(records(path, COMMA)))

    survived = {item.line for item in items if isinstance(item, Record) and item.cells[0].startswith("good")}
    assert survived == {at + 2 for at, bad in enumerate(plan) if bad is None}


@settings(max_examples=200, deadline=None)
@given(NASTY, st.integers(0, 30), st.integers(1, 40))
def test_resuming_after_any_number_gives_the_rest(content, start, size):
    def both(path: Path):
        with patch.object(lines, "BLOCK", size):
            return list(records(path, COMMA)), list(records(path, COMMA, start=start))

    whole, rest = on_disk(b"a,b,c\n" + content, both)

    assert rest == whole[start:]


@settings(max_examples=200, deadline=None)
@given(NASTY, st.integers(1, 40))
def test_what_is_read_does_not_depend_on_the_size_of_a_block(content, size):
    def both(path: Path):
        whole = list(records(path, COMMA))
        with patch.object(lines, "BLOCK", size):
            return whole, list(records(path, COMMA))

    whole, by_small_blocks = on_disk(b"a,b,c\n" + content, both)

    assert by_small_blocks == whole


def small_workbook() -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as workbook:
        workbook.set_properties({"created": datetime(2024, 5, 1, tzinfo=UTC)})  # the same bytes every time
        sheet = workbook.add_worksheet()
        for at, row in enumerate([["email", "n"], ["a@example.com", 1], ["b@example.com", 2.5]]):
            sheet.write_row(at, 0, row)
    return content.getvalue()
