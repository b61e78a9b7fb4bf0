"""Asks any route of any dialect for a row, and looks at what that has changed."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import models

from pipelime.accounts.keys import create_key
from pipelime.accounts.models import Account, User
from pipelime.api.callers import Caller
from pipelime.scope import AccountOwned, account_scope, every_account
from tests import factories
from tests.api.routes import Route


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


def made_for(route: Route, account: Account) -> models.Model:
    """A row of this account that the route may name."""
    model, made = model_of(route), route.dialect.made
    return maker_of(model)(account=account, **made.get(route.view.__name__, made.get(model.__name__, {})))


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


def ask(route: Route, raw_key: str, name: str, **parents: str):
    client = route.dialect.client(raw_key)
    return client.generic(route.method, route.at(name, **parents), b"", content_type="application/json")


def parents_of(route: Route, row: models.Model) -> dict[str, str]:
    """What the other names in the path must be, so that they name what `row` belongs to."""
    found = {}
    for name in route.parents:
        with every_account():
            found[name] = route.dialect.identify(getattr(row, route.dialect.parents[name]))
    return found
