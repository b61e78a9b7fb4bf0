"""A database whose disk is full says so, keeps what it has acknowledged, and goes on when there is room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from crm.models import Contact

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def full_disk() -> Iterator[None]:
    """SQLite may not grow by one page; PostgreSQL answers as it does when a file cannot grow."""
    fill, empty = SQLITE if connection.vendor == "sqlite" else POSTGRESQL
    with connection.cursor() as cursor:
        for statement in fill:
            cursor.execute(statement)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for statement in empty:
                cursor.execute(statement)


NO_ROOM = "$$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$"
SQLITE = ["PRAGMA max_page_count = 1"], ["PRAGMA max_page_count = 4294967294"]
POSTGRESQL = (
    [
        f"CREATE FUNCTION be_full() RETURNS trigger LANGUAGE plpgsql AS {NO_ROOM}",
        "CREATE TRIGGER be_full BEFORE INSERT ON crm_contact FOR EACH ROW EXECUTE FUNCTION be_full()",
    ],
    ["DROP TRIGGER be_full ON crm_contact", "DROP FUNCTION be_full"],
)


def test_a_full_disk_is_said_and_loses_nothing(native):
    native.raise_request_exception = False

    def create(number: int):
        body = {"email": f"a{number}@example.org", "first_name": "Ada", "location": "x" * 200}
        return native.post("/api/contacts", body, format="json")

    before = create(0)
    answers = []
    with full_disk():
        while not answers or answers[-1].status_code == 201:  # until the pages that are there are used up
            answers.append(create(len(answers) + 1))
    refused, after = answers.pop(), create(10_000)

    assert (before.status_code, after.status_code) == (201, 201)
    assert refused.status_code == 503
    assert refused.json() == {
        "error": {
            "code": "UNAVAILABLE",
            "message": "The database cannot serve this request now; try again in a moment",
        }
    }
    stored = set(Contact.objects.values_list("emails__address", flat=True))
    acknowledged = {answer.json()["email"] for answer in [before, *answers, after]}
    assert stored == acknowledged
