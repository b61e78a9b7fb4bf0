"""Putting contacts into a campaign against the database's own bulk insert of the same rows.

Usage: python bench/enrol.py [contacts]. Ours reads every contact with its address, asks the blocklist, the
suppressions and other campaigns about each, and inserts. The limit inserts the same finished rows: COPY on
PostgreSQL, executemany on SQLite, in transactions of the same size.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time

import workspace

ROUNDS = 3
CHUNK = 5000


def fill(account, count: int) -> None:
    """Contacts with an address each; a hundred of them have said no, so that the lists are asked."""
    from crm.models import Contact, ContactEmail
    from outreach.blocking import suppress
    from pipelime.bulk import in_chunks

    for numbers in in_chunks(range(count), CHUNK):
        contacts = Contact.objects.bulk_create(
            Contact(account=account, first_name=f"Grace{n}", last_name="Hopper") for n in numbers
        )
        ContactEmail.objects.bulk_create(
            ContactEmail(account=account, contact=contact, address=f"grace{contact.pk}@example.org",
                         email_key=f"grace{contact.pk}@example.org", is_primary=True)
            for contact in contacts
        )  # fmt: skip
    for n in range(100):
        suppress(account.pk, f"no{n}@example.org", cause="unsubscribed", source="a benchmark")


def campaign_of(account, name: str):
    from outreach.campaigns import create_campaign

    steps = [{"subject": "Hello", "body": "A question."}]
    settings = {"allow_in_other_campaigns": True}
    return create_campaign(account, by=None, name=name, steps=steps, settings=settings)


def ours(account, count: int, name: str) -> float:
    """Seconds."""
    from crm.models import Contact
    from outreach.enrolling import enrol

    campaign = campaign_of(account, name)
    began = time.perf_counter()
    result = enrol(campaign, Contact.objects.alive(), by=None)
    taken = time.perf_counter() - began
    assert result.added == count, result
    return taken


def limit(account, name: str) -> float:
    """Seconds for rows like those that `ours` has written, made beforehand."""
    from django.db import transaction

    from crm.models import Contact
    from outreach.enrolling import AT_ONCE, COLUMNS, candidates_of, rows_of
    from outreach.models import Enrolment
    from pipelime.bulk import in_chunks, insert_rows

    campaign = campaign_of(account, name)
    chunks = []
    for ids in in_chunks(list(Contact.objects.order_by("pk").values_list("pk", flat=True)), AT_ONCE):
        with transaction.atomic():
            chunks.append(rows_of(campaign, candidates_of(ids), campaign.created_at))
    began = time.perf_counter()
    for rows in chunks:
        with transaction.atomic():
            insert_rows(Enrolment, COLUMNS, rows)
    return time.perf_counter() - began


def main(count: int = 100_000) -> None:
    opened = workspace.prepare("enrol")
    from django.db import connection

    from pipelime.scope import account_scope

    with account_scope(opened.account):
        fill(opened.account, count)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        rates, limits = [], []
        for number in range(ROUNDS):
            gc.collect()
            rates.append(count / ours(opened.account, count, f"ours {number}"))
            limits.append(count / limit(opened.account, f"limit {number}"))
    workspace.report(
        f"Enrolling {count:,} contacts on {connection.vendor}",
        statistics.median(rates),
        statistics.median(limits),
        good=0.15,
        goal=0.3,
        unit="rows/s",
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
