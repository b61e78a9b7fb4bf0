"""Many rows at once keep the rules that one row has."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import transaction

from crm.models import Lead
from pipelime.bulk import COPY_FROM, in_chunks, insert_row, insert_rows, json_text, take_ids
from pipelime.events.models import Event
from pipelime.ids import uuid7
from pipelime.scope import ScopeMissing, ScopeViolation, every_account
from tests.factories import AccountFactory, StepFactory


@pytest.fixture(params=[1, 2, COPY_FROM, 250], ids=lambda count: f"{count} rows")
def count(request) -> int:
    return request.param


def event_row(account, pk: int, name: str = "account.updated") -> list:
    at = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
    data = {"object": {"name": 'Zoë \u2028 \\ \t "x"'}, "list": [1, None, True]}
    return [pk, uuid7(), account.pk, name, at, None, "", "account", account.pk, account.uid, data]


EVENT = (
    "id", "uid", "account_id", "name", "at", "actor_id", "actor_name",
    "subject_type", "subject_id", "subject_uid", "data",
)  # fmt: skip


def test_rows_come_back_as_they_went_in(account, count):
    rows = [event_row(account, pk) for pk in take_ids(Event, count)]

    insert_rows(Event, EVENT, rows)

    stored = Event.objects.order_by("pk")
    assert [[getattr(event, name) for name in EVENT] for event in stored] == rows


def test_days_and_amounts_come_back_as_they_went_in(account):
    step, uid = StepFactory(account=account), uuid7()
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    values = {
        "uid": uid, "account_id": account.pk, "step_id": step.pk, "title": "Loretta", "status": "todo",
        "amount": Decimal("1234.50"), "estimated_closing_date": date(2026, 2, 28), "custom_fields": {"a": 1},
        "created_at": at, "updated_at": at,
    }  # fmt: skip
    blank = {
        field.column: field.get_default()
        for field in Lead._meta.concrete_fields
        if field.column not in values and not field.primary_key
    }

    pk = insert_row(Lead, tuple(blank | values), list((blank | values).values()))

    lead = Lead.objects.get(pk=pk)
    assert {name: getattr(lead, name) for name in values} == values


def test_the_database_goes_on_after_reserved_ids(account, count):
    rows = [event_row(account, pk) for pk in take_ids(Event, count)]
    insert_rows(Event, EVENT, rows)

    following = insert_row(Event, EVENT[1:], event_row(account, 0)[1:])

    assert following > rows[-1][0]


def test_ids_are_taken_once_even_when_nothing_is_inserted_between(account):
    first, second, third = take_ids(Event, 3), take_ids(Event, 2), take_ids(Event, 1)

    assert len({*first, *second, *third}) == 6
    assert first == list(range(first[0], first[0] + 3))


def test_no_ids_are_taken_for_no_rows(account):
    assert take_ids(Event, 0) == []


def test_no_rows_are_no_work(account, django_assert_num_queries):
    with django_assert_num_queries(0):
        insert_rows(Event, EVENT, [])


@pytest.mark.parametrize("insert", [insert_rows, lambda *args: insert_row(*args[:2], args[2][0])])
def test_a_row_of_another_account_is_refused(insert, account):
    with pytest.raises(ScopeViolation, match="Event of account"):
        insert(Event, EVENT, [event_row(AccountFactory(), 1)])

    with every_account():
        assert not Event.objects.exists()


def test_one_foreign_row_among_many_refuses_them_all(account, count):
    rows = [event_row(account, pk) for pk in take_ids(Event, count)]
    rows.append(event_row(AccountFactory(), 10_000))

    with pytest.raises(ScopeViolation):
        insert_rows(Event, EVENT, rows)

    assert not Event.objects.exists()


def test_rows_outside_any_scope_are_refused(db):
    with pytest.raises(ScopeMissing):
        insert_rows(Event, EVENT, [event_row(AccountFactory(), 1)])


def test_a_worker_of_every_account_may_write_for_several(db):
    mine, theirs = AccountFactory(), AccountFactory()

    with every_account(), transaction.atomic():
        first, second = take_ids(Event, 2)
        insert_rows(Event, EVENT, [event_row(mine, first), event_row(theirs, second)])

        assert list(Event.objects.order_by("pk").values_list("account_id", flat=True)) == [mine.pk, theirs.pk]


@pytest.mark.parametrize(
    ("value", "text"),
    [({"a": "é"}, '{"a":"é"}'), ([1, None], "[1,null]"), ({"at": date(2026, 1, 2)}, '{"at":"2026-01-02"}')],
)
def test_json_is_stored_compactly(value, text):
    assert json_text(value) == text


def test_chunks_are_full_but_for_the_last():
    assert list(in_chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(in_chunks([], 2)) == []
