"""The Pro Pipe Lines list of leads in an account of a million: first page, deep page, every filter and order.

Usage: python bench/leads.py [leads] [requests a measurement]
Prints for each request its median, how often the first page's time that is (limit for pages and filters: 5;
orders without an index read every lead), and its ratio to plain SQL for the same rows in this process.
Makes its own SQLite files in a temporary folder; with DATABASE_URL it uses that database, which must be
empty.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from bench.api import prepare, serve, stop  # noqa: E402

PEOPLE, TAGS, FOLDERS, CHUNK = 10, 20, 1000, 10_000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
MOST = 5.0  # times the first page
EVERY = "account_id = 1 AND deleted_at IS NULL"
ALIVE = f"{EVERY} AND owner_id IS NOT NULL"


class Page(NamedTuple):
    """One request, and what of the leads it asks for in SQL."""

    name: str
    query: dict[str, Any]
    where: str = ALIVE
    order: str = "id DESC"
    offset: int = 0


def pages(leads: int) -> list[Page]:
    def narrowed(name: str, query: dict[str, Any], condition: str) -> Page:
        return Page(name, query, f"{ALIVE} AND {condition}")

    deep = leads * 9 // 10
    tagged = "id IN (SELECT lead_id FROM crm_lead_tags WHERE tag_id = {})"
    keyed = "id IN (SELECT lead_id FROM crm_leadkey WHERE account_id = 1 AND value_key = '{}')"
    return [
        Page("first page", {}),
        Page(f"offset {deep:,}", {"offset": deep, "include_unassigned": "true"}, EVERY, offset=deep),
        narrowed("status", {"status": "standby"}, "status = 'standby'"),
        narrowed("two statuses", {"status": "won,lost"}, "status IN ('won', 'lost')"),
        narrowed("step", {"step": "Closing"}, "step_id = 5"),
        narrowed("starred", {"starred": "true"}, "starred"),
        narrowed("user_id", {"user_id": "person3@example.com"}, "owner_id = 4"),
        narrowed("email", {"email": "ada77@example.com"}, keyed.format("ada77@example.com")),
        narrowed("field_key", {"field_key": "Phone", "field_value": "20779"}, keyed.format("20779")),
        narrowed("a common tag", {"tags": "tag 3"}, tagged.format(4)),
        narrowed("two tags", {"tags": "tag 3,tag 10"}, f"{tagged.format(4)} AND {tagged.format(11)}"),
        narrowed("updated_after", {"updated_after": "2026-06-01"}, "updated_at >= '2026-06-01'"),
        narrowed("created between", {"start_date": "2026-03-01", "end_date": "2026-03-02"},
                 "created_at BETWEEN '2026-03-01' AND '2026-03-03'"),
        narrowed("next action between",
                 {"date_range_type": "next_action", "start_date": "2026-12-01", "end_date": "2026-12-02"},
                 "reminder_at BETWEEN '2026-12-01' AND '2026-12-03'"),
        narrowed("closed between",
                 {"date_range_type": "closed", "start_date": "2026-06-01", "end_date": "2026-06-02"},
                 "closed_at BETWEEN '2026-06-01' AND '2026-06-03'"),
        Page("include_unassigned", {"include_unassigned": "true"}, EVERY),
        *(Page(f"order {name}", {"order": name}, order=f"{column} DESC, id DESC") for name, column in ORDERS),
    ]  # fmt: skip


ORDERS = (
    ("creation_date", "created_at"),
    ("last_update", "updated_at"),
    ("next_action", "reminder_at IS NOT NULL, reminder_at"),
    ("sale_step", "step_id"),
    ("amount", "amount IS NOT NULL, amount"),
    ("probability", "probability IS NOT NULL, probability"),
    ("probalized_amount", "amount IS NOT NULL, amount * probability"),
    ("alphabetically", "title_key"),
)


def fill(leads: int) -> str:
    """The leads of one account with tags, keys and clients, written in bulk. Returns its API key."""
    from crm.opening import open_account
    from pipelime.accounts.models import Account
    from pipelime.accounts.people import make_user
    from pipelime.scope import account_scope

    if Account.objects.exists():
        sys.exit("The database is not empty: give this benchmark one of its own.")
    opened = open_account("Bench", email="person0@example.com", password="correct horse battery")
    Account.objects.filter(pk=opened.account.pk).update(settings={"requests_per_day": 0})
    with account_scope(opened.account):
        for number in range(1, PEOPLE):
            make_user(opened.account, email=f"person{number}@example.com")
        write(leads)
    return opened.raw_key


def write(leads: int) -> None:
    from django.db import connection

    from crm.models import Company, Tag
    from pipelime.accounts.models import Account

    account = Account.objects.get()
    Company.objects.bulk_create(
        Company(account=account, name=f"Client {n}", name_key=f"client {n}", is_client=True)
        for n in range(FOLDERS)
    )
    Tag.objects.bulk_create(Tag(account=account, name=f"tag {n}", name_key=f"tag {n}") for n in range(TAGS))
    for start in range(1, leads + 1, CHUNK):
        write_leads(range(start, min(start + CHUNK, leads + 1)))
    with connection.cursor() as cursor:
        for statement in PARTS:
            cursor.execute(statement)
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


# Every lead has two of the tags, an address and a telephone number.
PARTS = (
    f"""INSERT INTO crm_lead_tags (lead_id, tag_id)
    SELECT id, id % {TAGS} + 1 FROM crm_lead UNION SELECT id, (id + 7) % {TAGS} + 1 FROM crm_lead""",
    """INSERT INTO crm_leadkey (account_id, lead_id, value, value_key)
    SELECT 1, id, 'ada' || id || '@example.com', 'ada' || id || '@example.com' FROM crm_lead""",
    """INSERT INTO crm_leadkey (account_id, lead_id, field_id, value, value_key)
    SELECT 1, crm_lead.id, crm_field.id, CAST(crm_lead.id AS text), CAST(crm_lead.id AS text)
    FROM crm_lead, crm_field WHERE crm_field.name = 'Phone'""",
)
COLUMNS = (
    "uid", "account_id", "title", "title_key", "step_id", "owner_id", "status", "amount", "probability",
    "currency", "starred", "reminder_at", "closed_at", "reminder_note", "description", "client_folder_id",
    "created_from", "comment_count", "attachment_count", "bcc_count", "custom_fields", "version",
    "created_at", "updated_at",
)  # fmt: skip
STATUSES = ("todo",) * 7 + ("standby", "won", "lost")


def write_leads(numbers: range) -> None:
    from django.db import transaction

    from crm.models import Lead
    from pipelime.bulk import insert_rows

    with transaction.atomic():
        insert_rows(Lead, COLUMNS, [lead_row(n) for n in numbers])


def lead_row(n: int) -> tuple[Any, ...]:
    """Leads differ in what filters look at: a tenth is nobody's, one in a hundred has a star."""
    status, created = STATUSES[n % 10], BEGAN + timedelta(seconds=25 * n)
    worth = (None, None) if n % 3 == 0 else (Decimal(n % 9973), n % 101)
    return (
        uuid4(), 1, f"Lead {n}", f"lead {n}", n % 5 + 1, None if n % 10 == 0 else n % PEOPLE + 1, status,
        *worth, "EUR", n % 100 == 1,
        BEGAN + timedelta(days=300, seconds=25 * n) if status == "standby" else None,
        created + timedelta(days=1) if status in ("won", "lost") else None, "",
        f"Firstname: Ada{n}\nEmail: ada{n}@example.com\nPhone: {n}", n % FOLDERS + 1,
        "api", 0, 0, 0, {}, 1, created, created + timedelta(days=1),
    )  # fmt: skip


def by_request(base: str, key: str, page: Page) -> Callable[[], None]:
    url = f"{base}/api/v2/leads?{urlencode(page.query)}"

    def ask() -> None:
        urlopen(Request(url, headers={"X-API-KEY": key}), timeout=120).read()

    return ask


def by_sql(page: Page) -> Callable[[], None]:
    from django.db import connection

    statement = (
        f"SELECT * FROM crm_lead WHERE {page.where} ORDER BY {page.order} LIMIT 100 OFFSET {page.offset}"
    )

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            cursor.fetchall()

    return ask


def median(ask: Callable[[], None], times: int) -> float:
    """Seconds, after one request that is not counted."""
    ask()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main(leads: int = 1_000_000, times: int = 7) -> None:
    with tempfile.TemporaryDirectory(prefix="pipelime-bench-") as folder:
        prepare(Path(folder))
        from django.db import connection

        started = time.perf_counter()
        key = fill(leads)
        print(f"{leads:,} leads on {connection.vendor}, written in {time.perf_counter() - started:.0f} s")
        server, base = serve()
        try:
            report(pages(leads), base, key, times)
        finally:
            stop(server)


def report(asked: list[Page], base: str, key: str, times: int) -> None:
    first, slowest = 0.0, ("", 0.0)
    for page in asked:
        ours, plain = median(by_request(base, key, page), times), median(by_sql(page), times)
        first = first or ours
        if not page.name.startswith("order"):
            slowest = max(slowest, (page.name, ours / first), key=lambda pair: pair[1])
        print(
            f"{page.name:<24} {ours * 1000:8.1f} ms   {ours / first:5.1f} first pages   "
            f"{ours / plain:5.1f} times plain SQL ({plain * 1000:.1f} ms)",
            flush=True,
        )
    verdict = "met" if slowest[1] <= MOST else "MISSED"
    print(f"slowest: {slowest[0]}, {slowest[1]:.1f} times the first page (limit {MOST:g}): {verdict}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
