"""Files as they really come: each fault costs its own row, or says why the whole file cannot be read."""

from __future__ import annotations

import pytest

from crm.importing.jobs import rejects
from tests.crm.importing.engine import counts, imported, people, reasons

GOOD = [("a@x.com", "A", "", None), ("z@x.com", "Z", "", None)]


@pytest.mark.parametrize(
    ("bad", "line", "column", "reason"),
    [
        (
            '"B,b@x.com',
            3,
            "",
            'a quote opened here never closes before the end of the file; add the missing "',
        ),
        ("B\0,b@x.com", 3, "first name", "contains a NUL character, which no text may hold"),
        ("B", 3, "", "has 1 cell, the header 2"),
        ("B,b@x.com,more,cells", 3, "", "has 4 cells, the header 2"),
        ("B,not an address", 3, "email", '"not an address" is no e-mail address: '),
        (f"{'B' * 251},b@x.com", 3, "first name", f'"{"B" * 60}…" has 251 characters; at most 250 fit'),
        (", ", None, "", ""),
    ],
    ids=["open quote", "NUL", "ragged", "more cells", "bad e-mail", "too long", "blank"],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_good_ones_go_in(account, bad, line, column, reason):
    job = imported(account, f"first name,email\nA,a@x.com\n{bad}\nZ,z@x.com\n")

    assert counts(job) == ("done", 2, 0, 0, 1 if line else 0)
    assert people() == GOOD
    for found in reasons(job):
        assert found[:2] == (line, column)
        assert found[2].startswith(reason)


def test_a_cell_with_a_line_break_is_no_fault(account):
    job = imported(account, 'first name,email\n"A\nB",a@x.com\n')

    assert counts(job) == ("done", 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("encoding", "detected"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16-le"), ("cp1252", "cp1252")],
)
def test_names_survive_every_encoding(account, encoding, detected):
    job = imported(account, "Prénom;E-mail\nÉlodie;e@x.com\nJosé;j@x.com\n".encode(encoding))

    assert counts(job) == ("done", 2, 0, 0, 0)
    assert [row[1] for row in people()] == ["Élodie", "José"]
    assert job.encoding == detected


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (
            ",".join(f"c{number}" for number in range(300)) + "\n",
            "The file has 300 columns; at most 256 can be",
        ),
        ("\n \n\n", "The file has only blank lines; its first line must name the columns"),
        ("first name,email\n", "The file has a header but no rows below it"),
        ("%PDF-1.7 ...", "The file is a PDF; "),
    ],
    ids=["300 columns", "blank", "header only", "PDF"],
)
def test_a_file_that_cannot_be_read_fails_with_the_reason(account, content, error):
    job = imported(account, content)

    assert counts(job) == ("failed", 0, 0, 0, 0)
    assert job.error.startswith(error)
    assert not people()


def test_rejects_come_back_as_a_table_that_can_be_mended(account):
    job = imported(account, "first name;email\nA;a@x.com\n=B;nope\nC;c@x.com;=more\n'D;\"e\n")

    text = b"".join(rejects(job)).decode("utf-8-sig")

    lines = text.split("\r\n")
    assert lines[0] == "first name;email;Line;Reason"
    assert lines[1].startswith('\'=B;nope;3;"email: ""nope"" is no e-mail address: ')
    assert lines[2] == "C;c@x.com;4;has 3 cells, the header 2;'=more"
    assert lines[3].startswith('"\'D;""e";;5;"a quote opened here')
    assert lines[4:] == [""]


def test_mended_rejects_go_in_whatever_columns_they_bring_along(account):
    job = imported(account, "first name,email\n=B,nope\n")
    mended = b"".join(rejects(job)).replace(b"nope,", b"b@x.com,")

    again = imported(account, mended)

    assert counts(again) == ("done", 1, 0, 0, 0)
    assert again.mapping["Reason"] is None
    assert people() == [("b@x.com", "=B", "", None)]


def test_a_row_that_identifies_nobody_is_rejected(account):
    job = imported(account, "email,company\na@x.com,Acme\n,Acme\n")

    assert counts(job) == ("done", 1, 0, 0, 1)
    assert reasons(job) == [
        (3, "", "nothing identifies this person: no e-mail address, name, phone or LinkedIn page")
    ]
