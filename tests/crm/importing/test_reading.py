import tracemalloc
import zipfile

import pytest

from crm.importing import lines
from crm.importing.formats import Format, Record, Reject, Unreadable
from crm.importing.reading import detect, headers, records, sample

COMMA = Format("csv", "utf-8", ",")
HEADER = b"email,name,city\n"


@pytest.fixture
def read(tmp_path):
    def read(content: bytes, file_format: Format = COMMA, *, start: int = 0):
        path = tmp_path / "table.csv"
        path.write_bytes(content)
        return list(records(path, file_format, start=start))

    return read


def test_records_carry_their_number_and_their_line(read):
    items = read(HEADER + b"a@x.io,Ann,Paris\n\n , ,\nb@x.io,Bob,Lyon")

    assert items == [Record(1, 2, ["a@x.io", "Ann", "Paris"]), Record(2, 5, ["b@x.io", "Bob", "Lyon"])]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_every_line_ending_is_read(read, ending):
    content = b'a,b\n1,2\n"x\ny",4\n5,6\n'.replace(b"\n", ending)

    items = read(content)

    assert items == [Record(1, 2, ["1", "2"]), Record(2, 3, ["x\ny", "4"]), Record(3, 5, ["5", "6"])]


def test_a_quoted_cell_may_hold_newlines_delimiters_and_quotes(read):
    items = read(HEADER + b'a@x.io,"Ann ""Nan"" Lee","1 Rue X,\nParis"\nb@x.io,Bob,Lyon\n')

    assert items[0] == Record(1, 2, ["a@x.io", 'Ann "Nan" Lee', "1 Rue X,\nParis"])
    assert items[1] == Record(2, 4, ["b@x.io", "Bob", "Lyon"])


def test_an_open_quote_at_the_end_of_the_file_costs_only_its_line(read):
    items = read(HEADER + b'a@x.io,"Ann,Paris\nb@x.io,Bob,Lyon\nc@x.io,Cy,Nice\n')

    assert items[0] == Reject(
        1,
        2,
        None,
        'a quote opened here never closes before the end of the file; add the missing "',
        ['a@x.io,"Ann,Paris'],
    )
    assert items[1:] == [Record(2, 3, ["b@x.io", "Bob", "Lyon"]), Record(3, 4, ["c@x.io", "Cy", "Nice"])]


def test_an_open_quote_before_many_good_rows_costs_only_its_line(read):
    rows = b"".join(b"p%d@x.io,P,Lyon\n" % n for n in range(5000))

    items = read(HEADER + b'a@x.io,"Ann,Paris\n' + rows)

    assert isinstance(items[0], Reject)
    assert "never closes within 100 lines or 64 KiB" in items[0].reason
    assert items[1] == Record(2, 3, ["p0@x.io", "P", "Lyon"])
    assert items[-1] == Record(5001, 5002, ["p4999@x.io", "P", "Lyon"])
    assert sum(isinstance(item, Record) for item in items) == 5000


def test_an_open_quote_that_a_later_quote_closes_costs_only_its_line(read):
    items = read(HEADER + b'a@x.io,"Ann,Paris\nb@x.io,Bob,Lyon\nc@x.io,"Cy",Nice\n')

    assert [(item.line, isinstance(item, Record)) for item in items] == [(2, False), (3, True), (4, True)]


def test_a_stray_quote_that_glues_rows_into_a_ragged_one_costs_only_its_line(read):
    items = read(HEADER + b'"a@x.io,Ann,Paris\nb@x.io,Bob",Lyon,x,y\nc@x.io,Cy,Nice\n')

    assert [(item.line, isinstance(item, Record)) for item in items] == [(2, False), (3, False), (4, True)]
    assert "goes on for 2 lines and leaves 4 cells, the header has 3" in items[0].reason


@pytest.mark.parametrize(("height", "accepted"), [(100, True), (101, False)])
def test_a_record_may_span_a_hundred_lines(read, height, accepted):
    cell = b"\n".join([b"x"] * height)

    items = read(b"a,b\n" + b'1,"' + cell + b'"\n2,3\n')

    assert isinstance(items[0], Record) is accepted
    assert items[-1].cells == ["2", "3"]


def test_text_after_a_closing_quote_is_refused_and_taught(read):
    items = read(HEADER + b'a@x.io,"Ann"Lee,Paris\nb@x.io,Bob,Lyon\n')

    assert (
        items[0].reason
        == 'a quoted cell goes on after its closing quote; inside quotes, write a quote twice: ""'
    )
    assert items[1] == Record(2, 3, ["b@x.io", "Bob", "Lyon"])


def test_a_quote_within_a_plain_cell_is_itself(read):
    items = read(HEADER + b'a@x.io,5" disk,Paris\n')

    assert items == [Record(1, 2, ["a@x.io", '5" disk', "Paris"])]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"a@x.io,Ann", "has 2 cells, the header 3"),
        (b"a@x.io", "has 1 cell, the header 3"),
        (b"a@x.io,Ann,Paris,", "has 4 cells, the header 3"),
    ],
)
def test_a_ragged_row_is_refused(read, row, reason):
    items = read(HEADER + row + b"\nb@x.io,Bob,Lyon\n")

    assert items[0] == Reject(1, 2, None, reason, row.decode().split(","))
    assert items[1] == Record(2, 3, ["b@x.io", "Bob", "Lyon"])


def test_a_nul_costs_its_row_and_is_kept_in_a_form_that_can_be_stored(read):
    items = read(HEADER + b"a@x.io,A\0nn,Paris\nb@x.io,Bob,Lyon\n")

    reason = "contains a NUL character, which no text may hold"
    assert items[0] == Reject(1, 2, "name", reason, ["a@x.io", "A␀nn", "Paris"])
    assert items[1] == Record(2, 3, ["b@x.io", "Bob", "Lyon"])


@pytest.mark.parametrize(("length", "accepted"), [(32 * 1024, True), (32 * 1024 + 1, False)])
def test_a_cell_may_have_32_ki_characters(read, length, accepted):
    items = read(HEADER + b"a@x.io," + b"x" * length + b",Paris\n")

    assert isinstance(items[0], Record) is accepted
    if not accepted:
        assert items[0].column == "name"
        assert items[0].reason == "this cell has 32769 characters; at most 32768 can be imported"


@pytest.mark.parametrize("length", [70_000, 140_000, 1_000_000])
def test_an_endless_line_costs_itself_alone(read, length):
    items = read(HEADER + b"a@x.io," + b"x," * (length // 2) + b"\nb@x.io,Bob,Lyon\n")

    assert items[0].reason == "the record is longer than 64 KiB"
    assert len(items[0].cells[0]) == 1001
    assert items[1] == Record(2, 3, ["b@x.io", "Bob", "Lyon"])


def test_bytes_outside_the_encoding_cost_their_row(read):
    items = read(HEADER + b"a@x.io,Jos\xe9,Paris\nb@x.io,Bob,Lyon\n")

    assert items[0].line == 2
    assert items[0].reason.startswith(
        "the byte 0xE9 on line 2 means nothing in the encoding of this file; save"
    )
    assert items[1] == Record(2, 3, ["b@x.io", "Bob", "Lyon"])


@pytest.mark.parametrize("start", range(9))
def test_reading_goes_on_after_any_number(read, start):
    content = HEADER + b'a,b,c\n\nragged\n"x\ny",b,c\nn\0l,b,c\nd,"open,f\ng,h,i\nj,k,l\n'

    assert read(content, start=start) == read(content)[start:]


@pytest.mark.parametrize("start", [0, 1, 3000, 7000, 20_000, 20_001])
def test_reading_goes_on_after_any_number_of_a_long_file(read, start):
    rows = [b"p%d@x.io,P,Lyon\n" % n for n in range(1, 20_001)]

    items = read(HEADER + b"".join(rows), start=start)

    assert len(items) == max(0, 20_000 - start)
    assert [item.cells[0] for item in items[:1]] == ([f"p{start + 1}@x.io"] if start < 20_000 else [])


@pytest.mark.parametrize("size", range(1, 9))
def test_a_line_ending_cut_by_a_block_is_one_ending(read, monkeypatch, size):
    monkeypatch.setattr(lines, "BLOCK", size)

    items = read(b"a,b\r\n1,2\r\n3,4\r\n5,6\r\n")

    assert [item.line for item in items] == [2, 3, 4]


def test_a_file_with_only_a_header_has_no_records(read):
    assert read(HEADER) == []


def test_headers_are_named_each_once(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("Email,, email ,Company  name,EMAIL\n")

    names = headers(path, COMMA)

    assert names == ["Email", "Column 2", "email (2)", "Company name", "EMAIL (3)"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\n \n\r\n", "has only blank lines"),
        (b'email,"name\na,b\n', "header on line 1 cannot be read: a quote opened here never closes"),
        (b"em\0ail,name\na,b\n", "header on line 1 contains a NUL"),
        (b"x," * 299 + b"x\n", "has 300 columns; at most 256"),
    ],
)
def test_a_header_that_cannot_be_used_refuses_the_file(read, content, reason):
    with pytest.raises(Unreadable, match=reason):
        read(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The file is empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel file"),
        (b"%PDF-1.7\n", "a PDF; save the table as CSV or XLSX"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"\x1f\x8b\x08\0", "packed with gzip"),
        (b"  <html><table><tr><td>x", "a web page or XML, whatever its name says"),
        (b'[{"email": "a@x.io"}]', "is JSON"),
        (bytes(range(256)) * 8, "is binary, not text"),
        (b"PK\x03\x04 and no more", "workbook is damaged"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_name(tmp_path, content, reason):
    path = tmp_path / "upload"
    path.write_bytes(content)

    with pytest.raises(Unreadable, match=reason):
        detect(path)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["people.csv"], "a zip archive; unpack it"),
        (["[Content_Types].xml", "word/document.xml"], "a Word document"),
        (["[Content_Types].xml", "xl/workbook.bin"], "not in the XLSX format"),
        (["mimetype", "content.xml"], "not in the XLSX format"),
    ],
)
def test_an_archive_that_is_no_workbook_is_refused(tmp_path, names, reason):
    path = tmp_path / "upload.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "x")

    with pytest.raises(Unreadable, match=reason):
        detect(path)


def test_a_sample_is_the_first_readable_rows(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n1,2\nragged\n3,4\n5,6\n")

    assert sample(path, COMMA, 2) == [["1", "2"], ["3", "4"]]


def test_memory_stays_flat_however_long_the_file_is(tmp_path):
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(HEADER)
        for block in range(60):
            file.write(b"".join(b"p%d_%d@x.io,P,Lyon\n" % (block, n) for n in range(1000)))
        file.write(b"y" * 4_000_000)

    tracemalloc.start()
    count = sum(1 for _ in records(path, COMMA))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 60_001
    assert peak < 8_000_000
