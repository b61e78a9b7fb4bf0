"""No account sees or changes another's rows: every route of every dialect, as the URLconf lists them."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.utils import timezone

from pipelime.accounts.keys import SUBJECTS, create_key
from pipelime.accounts.models import Account, User
from pipelime.api.callers import Caller
from pipelime.scope import AccountOwned, account_scope, every_account
from tests import factories
from tests.api.routes import Route, all_routes

ROUTES = all_routes()
NAMED = [route for route in ROUTES if route.names_a_row]
LISTS = [route for route in ROUTES if not route.names_a_row and route.method == "GET"]
WRITES = [route for route in ROUTES if route.method != "GET"]


def by_name(routes: list[Route]) -> dict[str, Any]:
    return {"argvalues": routes, "ids": [str(route) for route in routes]}


def key_of(account: Account, *scopes: str) -> str:
    with account_scope(account):
        return create_key(account, name="tests", scopes=list(scopes) or ["*"], by=None)[1]


def model_of(route: Route) -> type[models.Model]:
    view = route.view()
    view.caller = Caller(account=Account())
    with every_account():
        return view.get_queryset().model


def maker_of(model: type[models.Model]) -> Any:
    if model is Account:
        return lambda account: account  # an account is its own row
    for maker in vars(factories).values():
        if isinstance(maker, type) and issubclass(maker, factories.Factory) and maker._meta.model is model:
            return maker
    raise LookupError(
        f"tests/factories.py makes no {model.__name__}: add a factory, so that its routes are tested"
    )


def stored_rows() -> dict[str, list[tuple]]:
    """Everything that accounts own, but for when a key was last used."""
    owned = [model for model in apps.get_models() if issubclass(model, AccountOwned) or model is User]
    with every_account():
        return {
            model.__name__: sorted(
                repr(
                    [
                        row[field.attname] if not isinstance(row, models.Model) else None
                        for field in model._meta.concrete_fields
                        if field.name != "last_used_at"
                    ]
                )
                for row in model._base_manager.values()
            )
            for model in owned
        }


def ask(route: Route, raw_key: str, name: str):
    client = route.dialect.client(raw_key)
    return client.generic(route.method, route.at(name), b"", content_type="application/json")


@pytest.mark.parametrize("route", **by_name(NAMED))
def test_a_foreign_row_answers_exactly_as_a_missing_one(db, route):
    mine, theirs = factories.AccountFactory(), factories.AccountFactory()
    row = maker_of(model_of(route))(account=theirs)
    raw_key = key_of(mine)
    before = stored_rows()

    foreign = ask(route, raw_key, route.dialect.identify(row))
    missing = ask(route, raw_key, route.dialect.missing)

    assert missing.status_code == 404
    assert (foreign.status_code, foreign.content) == (missing.status_code, missing.content)
    assert stored_rows() == before


@pytest.mark.parametrize("route", **by_name(NAMED))
def test_one_s_own_row_is_not_missing(db, route):
    mine = factories.AccountFactory()
    row = maker_of(model_of(route))(account=mine)

    answer = ask(route, key_of(mine), route.dialect.identify(row))

    assert answer.status_code != 404


@pytest.mark.parametrize("route", **by_name(LISTS))
def test_a_list_holds_no_foreign_row(db, route):
    mine, theirs = factories.AccountFactory(), factories.AccountFactory()
    row = maker_of(model_of(route))(account=theirs)

    answer = ask(route, key_of(mine), "")

    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code == 200
    assert str(row.uid).encode() not in content


@pytest.mark.parametrize("route", **by_name(ROUTES))
def test_without_a_key_nothing_is_answered(db, route):
    answer = ask(route, "", route.dialect.missing)

    assert answer.status_code == 401


@pytest.mark.parametrize("route", **by_name(ROUTES))
def test_a_key_for_something_else_is_refused(db, route):
    mine = factories.AccountFactory()
    other = next(subject for subject in SUBJECTS if subject != route.view.subject)

    answer = ask(route, key_of(mine, f"{other}:*"), route.dialect.missing)

    assert answer.status_code == 403


@pytest.mark.parametrize("route", **by_name(WRITES))
def test_a_key_that_may_only_read_changes_nothing(db, route):
    mine = factories.AccountFactory()
    row = maker_of(model_of(route))(account=mine)
    raw_key = key_of(mine, *(f"{subject}:read" for subject in SUBJECTS))
    before = stored_rows()

    answer = ask(route, raw_key, route.dialect.identify(row))

    assert answer.status_code == 403
    assert stored_rows() == before


@pytest.mark.parametrize("route", **by_name(ROUTES))
def test_a_suspended_account_is_served_nothing(db, route):
    mine = factories.AccountFactory()
    raw_key = key_of(mine)
    Account.objects.filter(pk=mine.pk).update(suspended_at=timezone.now())

    answer = ask(route, raw_key, route.dialect.missing)

    assert answer.status_code == route.dialect.suspended
