"""What a prospecting list takes for names of columns and for rows."""

import pytest

from crm.prospect_cells import check_columns, check_row, check_rows
from pipelime.errors import Invalid


def test_a_blank_column_is_named_after_its_place():
    assert check_columns(["Company", " ", None, "Phone", "Phone"]) == [
        "Company",
        "Column 2",
        "Column 3",
        "Phone",
        "Phone",
    ]


def test_blanks_in_names_of_columns_are_single():
    assert check_columns([" Lead's \n name ", 2024]) == ["Lead's name", "2024"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("Company", "columns is a list of names"),
        (None, "columns is a list of names"),
        ([], "at least one column needs a name"),
        (["", " "], "at least one column needs a name"),
        (["x"] * 27, "27 columns are too many; a list has at most 26"),
        (["Company", ["x"]], "The name of column 2 must be text, not list"),
        (["Company", "x" * 251], "The name of column 2 has 251 characters; at most 250 fit"),
        (["a\x00"], "The name of column 1 holds a NUL character"),
    ],
)
def test_wrong_names_of_columns_are_refused(names, message):
    with pytest.raises(Invalid, match=message) as refusal:
        check_columns(names)

    assert refusal.value.field == "columns"


def test_26_columns_fit():
    assert len(check_columns(["x"] * 26)) == 26


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (5, "5"),
        (5.0, "5"),
        (12.5, "12.5"),
        (None, ""),
        (True, "true"),
        (" as typed ", " as typed "),
        ("é", "é"),
    ],
)
def test_every_cell_is_a_text(value, cell):
    assert check_row([value], ["Company"]) == [cell]


def test_a_short_row_is_padded_and_a_blank_one_left_out():
    rows = [["Acme"], [], ["", " "], [None, None], ("Europa", "Luc")]

    assert check_rows(rows, ["Company", "Firstname"]) == [["Acme", ""], ["Europa", "Luc"]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("Acme", "rows is a list of rows"),
        ({"a": 1}, "rows is a list of rows"),
        (None, "rows is a list of rows"),
        ([["Acme", "x"], "Acme"], "Row 2 is str, not a list of cells"),
        ([["Acme", "x"], ["a", "b", ""]], "Row 2 has 3 cells, but the list has 2 columns"),
        ([["Acme", {"a": 1}]], "Row 1, column 2 must be text, not dict"),
        ([["Acme", "x\x00"]], "Row 1, column 2 holds a NUL character"),
        ([["Acme", "\ud800"]], "Row 1, column 2 holds half of a surrogate pair"),
        ([["Acme", "x" * 10_001]], "Row 1, column 2 has 10001 characters; at most 10000 fit"),
    ],
)
def test_a_wrong_row_is_named(rows, message):
    with pytest.raises(Invalid, match=message) as refusal:
        check_rows(rows, ["Company", "Firstname"])

    assert refusal.value.field == "rows"


def test_a_row_by_itself_has_no_number():
    with pytest.raises(Invalid, match=r"^The row has 2 cells, but the list has 1 columns$"):
        check_row(["a", "b"], ["Company"])
