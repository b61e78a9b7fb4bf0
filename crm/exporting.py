"""Contacts and leads as CSV and XLSX, streamed in constant memory, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import xlsxwriter
from django.db import transaction
from django.db.models import QuerySet

from crm.formulas import guard
from crm.models import Contact, ExportJob, Field, Lead
from pipelime.accounts.acting import person_acting
from pipelime.errors import Invalid
from pipelime.events.recording import record
from pipelime.scope import account_scope, current_account_id

CHUNK = 1000
BLOCK = 64 * 1024
SHEET_ROWS = 1_048_576  # what a worksheet holds, its header included
LONGEST_CELL = 32_767  # what a spreadsheet's cell holds

Row = Contact | Lead
Cell = Any


class Column(NamedTuple):
    """One column: its header, which imports recognise, and how to read it from a row."""

    name: str
    read: Callable[[Any], Cell]


def plain(name: str) -> Column:
    return Column(name, lambda row: getattr(row, name))


def custom(key: str) -> Column:
    return Column(key, lambda row: row.custom_fields.get(key))


def named(column: str, attribute: str) -> Column:
    """The name of a related row, or nothing."""
    return Column(column, lambda row: str(found) if (found := getattr(row, attribute)) else None)


def tag_names(row: Row) -> str:
    return ", ".join(sorted((tag.name for tag in row.tags.all()), key=str.casefold))


def other_addresses(contact: Contact) -> str:
    return ", ".join(email.address for email in contact.emails.all() if email != contact.primary)


CONTACT_COLUMNS = [
    Column("id", lambda row: str(row.uid)),
    *map(plain, ("email", "first_name", "last_name")),
    named("company", "company"),
    *map(plain, ("job_title", "phone", "linkedin_url", "location")),
    Column("tags", tag_names),
    Column("other_emails", other_addresses),
    plain("status"),
    named("owner", "owner"),
    *map(plain, ("created_at", "updated_at")),
]
LEAD_COLUMNS = [
    Column("id", lambda row: str(row.uid)),
    plain("title"),
    Column("pipeline", lambda lead: lead.step.pipeline.name),
    named("step", "step"),
    *map(plain, ("status", "amount", "currency", "probability", "starred")),
    named("owner", "owner"),
    named("contact", "contact"),
    named("client_folder", "client_folder"),
    Column("tags", tag_names),
    *map(plain, ("remind_date", "remind_time", "estimated_closing_date", "description")),
    *map(plain, ("created_from", "created_at", "updated_at", "closed_at")),
]


class Kind(NamedTuple):
    columns: list[Column]
    field_kind: str
    ready: Callable[[QuerySet], QuerySet]


KINDS = {
    "contacts": Kind(
        CONTACT_COLUMNS,
        Field.Kind.CONTACT,
        lambda rows: rows.select_related("company", "owner").prefetch_related("emails", "tags"),
    ),
    "leads": Kind(
        LEAD_COLUMNS, Field.Kind.LEAD, lambda rows: rows.with_parts().prefetch_related("contact__emails")
    ),
}


def columns(kind: str) -> list[str]:
    """The headers of an export of the account in scope: built-in columns, then its custom fields."""
    return [column.name for column in columns_of(kind_named(kind))]


def columns_of(kind: Kind) -> list[Column]:
    taken = {column.name for column in kind.columns}
    keys = Field.objects.filter(kind=kind.field_kind).values_list("key", flat=True)
    return [*kind.columns, *(custom(key) for key in keys if key not in taken)]


def kind_named(name: str) -> Kind:
    if name not in KINDS:
        raise Invalid(f"{name!r} cannot be exported; use {' or '.join(KINDS)}", field="kind")
    return KINDS[name]


@transaction.atomic
def stream(kind: str, format: str, rows: QuerySet, *, by, filters: dict | None = None) -> Iterator[bytes]:  # noqa: A002
    """Record who takes the rows out, then give the file piece by piece, in the order of ids.

    The iterator outlives the request's scope, so it opens the account's own for each chunk it reads.
    """
    if format not in WRITERS:
        raise Invalid(f"format: {format!r} is not known; use {' or '.join(WRITERS)}", field="format")
    wanted = columns_of(kind_named(kind))
    account_id = current_account_id("An export")
    if account_id is None:
        raise Invalid("An export is of one account; open its scope first")
    job = ExportJob.objects.create(
        account_id=account_id,
        kind=kind,
        format=format,
        filters=filters or {},
        created_by=person_acting(by, account_id),
        created_by_name=by.actor[1] if by is not None else "",
    )
    record("export.requested", job, by=by)
    chunks = in_keyset_order(KINDS[kind].ready(rows), account_id)
    lines = ([column.read(row) for column in wanted] for chunk in chunks for row in chunk)
    return WRITERS[format]([column.name for column in wanted], lines)


def in_keyset_order(rows: QuerySet, account_id: int) -> Iterator[list[Row]]:
    """Chunks by id: neither offset nor cursor, so that a slow reader holds nothing open."""
    last = 0
    while True:
        with account_scope(account_id):
            chunk = list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK])
        if not chunk:
            return
        yield chunk
        last = chunk[-1].pk


def as_text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    return cell.strftime("%H:%M") if hasattr(cell, "minute") else str(cell)


def csv_bytes(header: list[str], lines: Iterable[list[Cell]]) -> Iterator[bytes]:
    """UTF-8 without a mark, lines ended as RFC 4180 says."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(header)
    for line in lines:
        writer.writerow([guard(cell) if isinstance(cell, str) else as_text(cell) for cell in line])
        if buffer.tell() > BLOCK:
            yield taken_out(buffer)
    yield taken_out(buffer)


def taken_out(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def xlsx_bytes(header: list[str], lines: Iterable[list[Cell]]) -> Iterator[bytes]:
    """Texts are typed as texts, so nothing can run; rows beyond a worksheet's end begin another one."""
    with tempfile.TemporaryFile(prefix="pipelime-export-") as file:
        # Rows go to disk as they come. A zip file is written at its end, so the bytes follow then.
        book = xlsxwriter.Workbook(file, {"constant_memory": True})
        sheet, number = None, SHEET_ROWS
        for line in lines:
            if number == SHEET_ROWS:
                sheet, number = book.add_worksheet(), 1
                sheet.write_row(0, 0, header)
            for position, cell in enumerate(line):
                write_cell(sheet, number, position, cell)
            number += 1
        if sheet is None:
            book.add_worksheet().write_row(0, 0, header)
        book.close()
        file.seek(0)
        while block := file.read(BLOCK):
            yield block


def write_cell(sheet: Any, row: int, column: int, cell: Cell) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, str) or not hasattr(cell, "__float__"):
        sheet.write_string(row, column, as_text(cell)[:LONGEST_CELL])
    else:
        sheet.write_number(row, column, float(cell))


WRITERS: dict[str, Callable[[list[str], Iterable[list[Cell]]], Iterator[bytes]]] = {
    "csv": csv_bytes,
    "xlsx": xlsx_bytes,
}
