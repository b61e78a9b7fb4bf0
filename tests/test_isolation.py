"""No account sees or changes another's rows: every route of every dialect, as the URLconf lists them."""

from __future__ import annotations

import pytest
from django.utils import timezone

from pipelime.accounts.keys import SUBJECTS
from pipelime.accounts.models import Account
from tests import factories
from tests.api.asking import ask, by_name, key_of, made_for, parents_of, stored_rows
from tests.api.routes import all_routes

pytestmark = pytest.mark.once

ROUTES = all_routes()
SCOPED = [route for route in ROUTES if route.view.subject]  # the others show no rows, such as a ping
NAMED = [route for route in SCOPED if route.names_a_row]
LISTS = [route for route in SCOPED if not route.names_a_row and route.method == "GET"]
WRITES = [route for route in SCOPED if route.writes]


@pytest.mark.parametrize("route", **by_name(NAMED))
def test_a_foreign_row_answers_exactly_as_a_missing_one(db, route):
    mine, theirs = factories.AccountFactory(), factories.AccountFactory()
    row = made_for(route, theirs)
    raw_key = key_of(mine)
    before = stored_rows()

    foreign = ask(route, raw_key, route.dialect.identify(row), **parents_of(route, row))
    missing = ask(route, raw_key, route.dialect.missing)

    assert missing.status_code == 404
    assert (foreign.status_code, foreign.content) == (missing.status_code, missing.content)
    assert stored_rows() == before


@pytest.mark.parametrize("route", **by_name(NAMED))
def test_one_s_own_row_is_not_missing(db, route):
    mine = factories.AccountFactory()
    row = made_for(route, mine)

    answer = ask(route, key_of(mine), route.dialect.identify(row), **parents_of(route, row))

    assert answer.status_code != 404


@pytest.mark.parametrize("route", **by_name(LISTS))
def test_a_list_holds_no_foreign_row(db, route):
    mine, theirs = factories.AccountFactory(), factories.AccountFactory()
    row = made_for(route, theirs)

    answer = ask(route, key_of(mine), "")

    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code == 200
    assert str(row.uid).encode() not in content


@pytest.mark.parametrize("route", **by_name(ROUTES))
def test_without_a_key_nothing_is_answered(db, route):
    answer = ask(route, "", route.dialect.missing)

    assert answer.status_code == 401


@pytest.mark.parametrize("route", **by_name(SCOPED))
def test_a_key_for_something_else_is_refused(db, route):
    mine = factories.AccountFactory()
    other = next(subject for subject in SUBJECTS if subject != route.view.subject)

    answer = ask(route, key_of(mine, f"{other}:*"), route.dialect.missing)

    assert answer.status_code == route.dialect.refused


@pytest.mark.parametrize("route", **by_name(WRITES))
def test_a_key_that_may_only_read_changes_nothing(db, route):
    mine = factories.AccountFactory()
    row = made_for(route, mine)
    raw_key = key_of(mine, *(f"{subject}:read" for subject in SUBJECTS))
    before = stored_rows()

    answer = ask(route, raw_key, route.dialect.identify(row), **parents_of(route, row))

    assert answer.status_code == route.dialect.refused
    assert stored_rows() == before


@pytest.mark.parametrize("route", **by_name(ROUTES))
def test_a_suspended_account_is_served_nothing(db, route):
    mine = factories.AccountFactory()
    raw_key = key_of(mine)
    Account.objects.filter(pk=mine.pk).update(suspended_at=timezone.now())

    answer = ask(route, raw_key, route.dialect.missing)

    assert answer.status_code == route.dialect.suspended
