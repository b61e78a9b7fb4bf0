import datetime
import struct
import zipfile

import openpyxl
import pytest
from openpyxl.styles import Font

from crm.importing.formats import Format, Record, Reject, Unreadable
from crm.importing.reading import detect, headers, records
from crm.importing.workbooks import cell_text

XLSX = Format("xlsx")
SHEET = "xl/worksheets/sheet1.xml"
DIRECTORY_ENTRY = 46  # bytes before the name of a part in the directory of a zip
MET = datetime.datetime.fromisoformat("2024-05-01T09:30:00")


@pytest.fixture
def saved(tmp_path):
    def save(*sheets: list[list[object]]):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for rows in sheets:
            sheet = book.create_sheet()
            for row in rows:
                sheet.append(row)
        path = tmp_path / "book.xlsx"
        book.save(path)
        return path

    return save


def changed(path, name: str, change) -> None:
    """Write the package again with one part changed."""
    with zipfile.ZipFile(path) as package:
        parts = {info.filename: package.read(info) for info in package.infolist()}
    parts[name] = change(parts[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for part, content in parts.items():
            package.writestr(part, content)


def test_a_workbook_is_read_as_one_would_type_it(saved):
    path = saved(
        [
            ["email", "phone", "since", "met", "score", "ok"],
            [
                "a@x.io",
                33612345678,
                datetime.date(2024, 5, 1),
                MET,
                1.5,
                True,
            ],
        ]
    )

    file_format = detect(path)

    assert file_format == XLSX
    assert headers(path, file_format) == ["email", "phone", "since", "met", "score", "ok"]
    assert list(records(path, file_format)) == [
        Record(1, 2, ["a@x.io", "33612345678", "2024-05-01", "2024-05-01T09:30:00", "1.5", "true"])
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (33612345678.0, "33612345678"),
        (1e21, "1000000000000000000000"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (7, "7"),
        (False, "false"),
        (MET.replace(hour=0, minute=0), "2024-05-01"),
        (datetime.time(9, 30), "09:30:00"),
        (datetime.timedelta(hours=30), "1 day, 6:00:00"),
        ("", ""),
    ],
)
def test_a_cell_reads_as_text(value, text):
    assert cell_text(value) == text


def test_the_first_sheet_that_is_not_empty_counts(saved):
    path = saved([], [["email"], ["a@x.io"]], [["other"], ["b@x.io"]])

    assert headers(path, XLSX) == ["email"]
    assert list(records(path, XLSX)) == [Record(1, 2, ["a@x.io"])]


def test_lines_are_the_rows_of_the_sheet_and_blank_ones_do_not_count(saved):
    path = saved([[], [None, "email", "name"], [None, "a@x.io", "Ann"], [], [None, "b@x.io"]])

    items = list(records(path, XLSX))

    assert headers(path, XLSX) == ["email", "name"]
    assert items == [Record(1, 3, ["a@x.io", "Ann"]), Record(2, 5, ["b@x.io", ""])]


def test_a_cell_beyond_the_header_refuses_its_row(saved):
    path = saved([["email", "name"], ["a@x.io", "Ann", None, "stray"], ["b@x.io", "Bob"]])

    items = list(records(path, XLSX))

    assert items == [
        Reject(1, 2, None, "has 4 cells, the header 2", ["a@x.io", "Ann", "", "stray"]),
        Record(2, 3, ["b@x.io", "Bob"]),
    ]


@pytest.mark.parametrize("start", [0, 1, 2, 3])
def test_reading_goes_on_after_any_number(saved, start):
    path = saved([["email"], ["a@x.io"], ["b@x.io", "stray"]])

    assert list(records(path, XLSX, start=start)) == list(records(path, XLSX))[start:]


def test_a_workbook_of_empty_sheets_is_refused(saved):
    path = saved([], [])

    with pytest.raises(Unreadable, match="has only empty sheets"):
        headers(path, XLSX)


def test_a_cell_far_away_is_refused_before_it_takes_gigabytes(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = "email"
    book.active.cell(row=1_048_576, column=16_384, value="x")
    path = tmp_path / "sparse.xlsx"
    book.save(path)

    with pytest.raises(Unreadable, match="a sheet has 16,384 columns, at most 256"):
        headers(path, XLSX)


def test_too_many_rows_are_refused_with_csv_as_the_way_out(saved):
    path = saved([["email"], ["a@x.io"]])
    changed(path, SHEET, lambda xml: xml.replace(b'r="2"', b'r="200002"').replace(b'r="A2"', b'r="A200002"'))

    with pytest.raises(Unreadable, match=r"a sheet has 200,002 rows, at most 200,001.*save the sheet as CSV"):
        headers(path, XLSX)


def test_formatting_down_to_the_last_row_is_no_reason_to_refuse(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"], book.active["A2"] = "email", "a@x.io"
    book.active.cell(row=1_048_576, column=300).font = Font(bold=True)
    path = tmp_path / "formatted.xlsx"
    book.save(path)

    assert list(records(path, XLSX)) == [Record(1, 2, ["a@x.io"])]


def test_cells_that_do_not_say_where_they_are_count_too(saved):
    path = saved([["email"], ["a@x.io"]])
    cells = b"<c><v>1</v></c>" * 300
    changed(path, SHEET, lambda xml: xml.replace(b"</sheetData>", b"<row>" + cells + b"</row></sheetData>"))

    with pytest.raises(Unreadable, match="a sheet has 300 columns"):
        headers(path, XLSX)


def test_cells_in_a_namespace_of_their_own_count_too(saved):
    path = saved([["email"], ["a@x.io"]])
    space = b'xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    far = b'<x:row r="9" ' + space + b'><x:c r="XFD9"><x:v>1</x:v></x:c></x:row>'
    changed(path, SHEET, lambda xml: xml.replace(b"</sheetData>", far + b"</sheetData>"))

    with pytest.raises(Unreadable, match="a sheet has 16,384 columns"):
        headers(path, XLSX)


def test_a_bomb_is_refused_by_its_ratio(saved):
    path = saved([["email"]])
    changed(path, SHEET, lambda xml: xml + b" " * 20_000_000)

    with pytest.raises(Unreadable, match=r"it unpacks to .* times its size"):
        headers(path, XLSX)


def test_a_part_that_is_longer_than_declared_is_refused(saved):
    path = saved([["email"]])
    with zipfile.ZipFile(path) as package:
        size = package.getinfo(SHEET).file_size
    content = bytearray(path.read_bytes())
    entry = content.rindex(SHEET.encode()) - DIRECTORY_ENTRY
    content[entry + 24 : entry + 28] = struct.pack("<I", size - 50)
    path.write_bytes(content)

    with pytest.raises(Unreadable, match=r"sheet1\.xml is longer than declared"):
        headers(path, XLSX)


def test_a_sheet_under_a_strange_name_is_refused(saved):
    path = saved([["email"]])
    changed(path, SHEET, lambda xml: xml)
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("xl/data.bin", package.read(SHEET))

    with pytest.raises(Unreadable, match=r"data\.bin holds a sheet under a strange name"):
        headers(path, XLSX)


def test_a_document_type_is_refused(saved):
    path = saved([["email"]])
    changed(path, SHEET, lambda xml: b'<!DOCTYPE x [<!ENTITY a "b">]>' + xml)

    with pytest.raises(Unreadable, match="without a document type"):
        headers(path, XLSX)


def test_a_truncated_workbook_is_refused(saved):
    path = saved([["email"], ["a@x.io"]])
    path.write_bytes(path.read_bytes()[:-200])

    with pytest.raises(Unreadable, match="The workbook is damaged"):
        detect(path)
