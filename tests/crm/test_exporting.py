"""Exports: every row once, safe in a spreadsheet, in a scope of their own, and remembered."""

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from crm import exporting
from crm.formulas import guard, unguard
from crm.models import Contact, ExportJob, Lead
from pipelime.errors import Invalid
from pipelime.events.models import Event
from pipelime.scope import account_scope
from tests.factories import CompanyFactory, ContactFactory, FieldFactory, LeadFactory, TagFactory

AT = datetime(2030, 1, 31, 9, 30, tzinfo=UTC)


def table_of(blocks) -> list[dict[str, str]]:
    text = b"".join(blocks).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def sheets_of(blocks) -> list[list[list]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(blocks)))
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


def test_contacts_are_exported_with_their_parts(account, user):
    FieldFactory(account=account, key="budget")
    company = CompanyFactory(account=account, name="Engines, Ltd")
    contact = ContactFactory(
        account=account,
        first_name="Zoë",
        company=company,
        custom_fields={"budget": 5},
        email="zoe@example.com",
    )
    contact.tags.add(TagFactory(account=account, name="hot"), TagFactory(account=account, name="US"))

    [row] = table_of(exporting.stream("contacts", "csv", Contact.objects.alive(), by=user))

    assert list(row) == exporting.columns("contacts")
    assert row["id"] == str(contact.uid)
    assert (row["email"], row["first_name"], row["company"]) == ("zoe@example.com", "Zoë", "Engines, Ltd")
    assert (row["tags"], row["budget"], row["owner"], row["status"]) == ("hot, US", "5", "", "active")


def test_leads_are_exported_with_amounts_and_times(account, user):
    LeadFactory(account=account, title="Loretta", amount="12.50", starred=True, created_at=AT, owner=user)

    [row] = table_of(exporting.stream("leads", "csv", Lead.objects.alive(), by=user))

    assert (row["title"], row["amount"], row["starred"]) == ("Loretta", "12.50", "true")
    assert (row["created_at"], row["owner"]) == ("2030-01-31T09:30:00+00:00", user.name)


def test_an_export_is_remembered_before_it_is_read(account, user):
    exporting.stream("leads", "xlsx", Lead.objects.alive(), by=user, filters={"status": "won"})

    job = ExportJob.objects.get()
    assert (job.kind, job.format, job.filters, job.created_by) == ("leads", "xlsx", {"status": "won"}, user)
    assert Event.objects.about(job).get().name == "export.requested"


def test_every_row_comes_once_in_constant_queries(account, user, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(exporting, "CHUNK", 3)
    ids = [str(ContactFactory(account=account).uid) for _ in range(7)]
    export = exporting.stream("contacts", "csv", Contact.objects.order_by("-first_name"), by=user)

    # Three chunks of a query each and two for their addresses and tags, and one that finds no more.
    with django_assert_num_queries(3 * 3 + 1):
        rows = table_of(export)

    assert [row["id"] for row in rows] == ids


def test_the_iterator_has_a_scope_of_its_own(account, user, stranger):
    mine = ContactFactory(account=account)
    ContactFactory(account=stranger.account)
    export = exporting.stream("contacts", "csv", Contact.objects.all(), by=user)

    with account_scope(stranger.account):
        rows = table_of(export)
        assert Contact.objects.count() == 1

    assert [row["id"] for row in rows] == [str(mine.uid)]


@pytest.mark.parametrize(
    "text", ["=1+1", " =1+1", "+33 1", "-x", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "'=1"]
)
def test_what_a_spreadsheet_would_run_is_guarded(text):
    assert guard(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ada", "O'Hara", "'quoted'", "a=b", "5-3"])
def test_everything_else_stays_as_it_is(text):
    assert guard(text) == text


@given(st.text(alphabet="'=+-@\t\r\n＝＋－＠ ab"))
def test_a_guarded_text_comes_back_exactly(text):
    assert unguard(guard(text)) == text


def test_the_cells_of_a_csv_are_guarded(account, user):
    ContactFactory(account=account, first_name="=HYPERLINK(1)", phone="+33 1", job_title='a,"b"\nc')

    [row] = table_of(exporting.stream("contacts", "csv", Contact.objects.all(), by=user))

    assert (row["first_name"], row["phone"], row["job_title"]) == ("'=HYPERLINK(1)", "'+33 1", 'a,"b"\nc')


def test_a_workbook_types_its_cells(account, user):
    LeadFactory(account=account, title="=1+1", amount="-12.50", starred=False, description="x" * 40_000)

    [[header, row]] = sheets_of(exporting.stream("leads", "xlsx", Lead.objects.all(), by=user))

    cells = dict(zip(header, row, strict=True))
    assert (cells["title"], cells["amount"], cells["starred"]) == ("=1+1", -12.5, False)
    assert cells["description"] == "x" * 32_767


def test_an_empty_export_has_a_header(account, user):
    assert table_of(exporting.stream("contacts", "csv", Contact.objects.all(), by=user)) == []
    assert sheets_of(exporting.stream("contacts", "xlsx", Contact.objects.all(), by=user)) == [
        [exporting.columns("contacts")]
    ]


def test_rows_beyond_a_worksheet_begin_another(account, user, monkeypatch):
    monkeypatch.setattr(exporting, "SHEET_ROWS", 3)
    for _ in range(5):
        LeadFactory(account=account)

    sheets = sheets_of(exporting.stream("leads", "xlsx", Lead.objects.all(), by=user))

    assert [len(sheet) for sheet in sheets] == [3, 3, 2]
    assert len({row[0] for sheet in sheets for row in sheet[1:]}) == 5


@pytest.mark.parametrize(("kind", "form", "field"), [("cats", "csv", "kind"), ("leads", "pdf", "format")])
def test_an_unknown_kind_or_format_is_refused(account, user, kind, form, field):
    with pytest.raises(Invalid) as refusal:
        exporting.stream(kind, form, Lead.objects.all(), by=user)

    assert refusal.value.field == field
    assert not ExportJob.objects.exists()
