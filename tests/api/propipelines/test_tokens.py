"""USER tokens on every route: expired ones, those of disabled people, and people who may not see the lead."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.models import Lead
from pipelime.accounts.keys import issue_token
from pipelime.accounts.models import Account, User, UserToken
from pipelime.scope import account_scope, every_account
from tests import factories
from tests.api.asking import by_name, made_for, parents_of, stored_rows
from tests.api.routes import Route, all_routes

pytestmark = pytest.mark.once

ROUTES = [route for route in all_routes() if route.dialect.name == "propipelines" and route.view.subject]
NAMED = [route for route in ROUTES if route.names_a_row]
OF_LEADS = [route for route in NAMED if "leads/{" in route.path]


def token_of(user: User) -> str:
    with account_scope(user.account):
        return issue_token(user)[1]


def ask(route: Route, token: str, name: str, **parents: str):
    client = route.dialect.client()
    headers = {"X-USER-TOKEN": token}
    body = b'{"content": "Hello", "title": "T", "user_id": 1}'
    return client.generic(
        route.method, route.at(name, **parents), body, content_type="application/json", headers=headers
    )


@pytest.mark.parametrize("route", **by_name(ROUTES))
def test_an_expired_token_is_refused(db, route):
    user = factories.UserFactory(is_admin=True)
    token = token_of(user)
    with every_account():
        UserToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    before = stored_rows()

    answer = ask(route, token, route.dialect.missing)

    assert answer.status_code == 401
    assert answer.json()["type"] == "unauthorized_invalid_token"
    assert stored_rows() == before


@pytest.mark.parametrize("route", **by_name(ROUTES))
def test_the_token_of_a_disabled_person_is_refused(db, route):
    user = factories.UserFactory(is_admin=True)
    token = token_of(user)
    with every_account():
        User.objects.filter(pk=user.pk).update(disabled_at=timezone.now())

    answer = ask(route, token, route.dialect.missing)

    assert answer.status_code == 401


@pytest.mark.parametrize("route", **by_name(OF_LEADS))
def test_a_lead_of_another_team_is_missing(db, route):
    account = factories.AccountFactory(lead_visibility=Account.Visibility.TEAM)
    mine, theirs = factories.UserFactory(account=account), factories.UserFactory(account=account)
    for user in (mine, theirs):
        factories.TeamMemberFactory(account=account, user=user)
    row = made_for(route, account)
    parents = parents_of(route, row)
    with every_account():
        Lead.objects.update(owner=theirs)
    before = stored_rows()

    hidden = ask(route, token_of(mine), route.dialect.identify(row), **parents)
    missing = ask(route, token_of(mine), route.dialect.missing)

    assert hidden.status_code in (401, 404), hidden.content
    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
    assert {name: rows for name, rows in stored_rows().items() if name != "UserToken"} == {
        name: rows for name, rows in before.items() if name != "UserToken"
    }
