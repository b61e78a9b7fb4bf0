import pytest

from crm.importing.formats import Unreadable
from crm.importing.reading import detect, headers, records


def written(tmp_path, text: str):
    path = tmp_path / "table.csv"
    path.write_text(text, newline="")
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_delimiter_is_found_by_constancy(tmp_path, delimiter):
    rows = [["name", "amount", "note"], ["Ann", "1 000", "a"], ["Bob", "2", ""], ["Cy", "3", "x y"]]
    path = written(tmp_path, "\n".join(delimiter.join(row) for row in rows))

    file_format = detect(path)

    assert file_format.delimiter == delimiter
    assert [item.cells for item in records(path, file_format)] == rows[1:]


def test_decimal_commas_do_not_hide_semicolons(tmp_path):
    path = written(tmp_path, "name;amount;place\nAnn;1,50;Paris, France\nBob;2,50;Lyon\nCy;12;Nice\n")

    assert detect(path).delimiter == ";"


def test_delimiters_inside_quotes_do_not_count(tmp_path):
    path = written(tmp_path, 'name,address\nAnn,"1;2;3;4"\nBob,"5;6;7;8"\n')

    assert detect(path).delimiter == ","


def test_a_single_column_is_a_table_too(tmp_path):
    path = written(tmp_path, "email\na@example.com\nb@example.com\n")

    file_format = detect(path)

    assert headers(path, file_format) == ["email"]
    assert [item.cells for item in records(path, file_format)] == [["a@example.com"], ["b@example.com"]]


def test_a_single_column_headed_by_words_and_a_comma_stays_single(tmp_path):
    path = written(tmp_path, "Last, first\nAnn\nBob\nCy\n")

    file_format = detect(path)

    assert headers(path, file_format) == ["Last, first"]


def test_a_few_ragged_rows_do_not_change_the_delimiter(tmp_path):
    path = written(tmp_path, "a,b,c\n" + "1,2,3\n" * 8 + "1,2\n1;2;3\n")

    assert detect(path).delimiter == ","


def test_a_declared_delimiter_is_believed_and_is_no_data(tmp_path):
    path = written(tmp_path, "sep=:\r\nname:city\r\nAnn:Paris\r\n")

    file_format = detect(path)

    assert file_format.delimiter == ":"
    assert headers(path, file_format) == ["name", "city"]
    assert [(item.line, item.cells) for item in records(path, file_format)] == [(3, ["Ann", "Paris"])]


def test_a_forced_delimiter_is_believed(tmp_path):
    path = written(tmp_path, "a;b\n1;2\n")

    file_format = detect(path, delimiter=",")

    assert headers(path, file_format) == ["a;b"]


@pytest.mark.parametrize("delimiter", [",,", "\n", '"', "\0"])
def test_what_cannot_part_cells_is_refused(tmp_path, delimiter):
    path = written(tmp_path, "a,b\n")

    with pytest.raises(Unreadable, match="must be one character"):
        detect(path, delimiter=delimiter)
