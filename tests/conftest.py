"""What every test may ask for: an account with its scope open, a person, a key, clients."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from pipelime import doorbell
from pipelime.accounts.keys import create_key
from pipelime.scope import account_scope
from tests.factories import AccountFactory, UserFactory


@pytest.fixture(autouse=True)
def bells(monkeypatch) -> list[str]:
    """No broker in ordinary tests: the names of the tasks that would have been woken."""
    rung: list[str] = []
    monkeypatch.setattr(doorbell, "ring_now", lambda task: rung.append(task) or True)
    return rung


@pytest.fixture
def account(db):
    """An account whose scope is open for the whole test."""
    cache.clear()
    account = AccountFactory()
    with account_scope(account):
        yield account


@pytest.fixture
def user(account):
    """An administrator of the account."""
    return UserFactory(account=account, is_admin=True)


@pytest.fixture
def seller(account):
    """Somebody of the account who is no administrator."""
    return UserFactory(account=account, is_admin=False)


@pytest.fixture
def stranger(db):
    """An administrator of another account."""
    other = AccountFactory()
    with account_scope(other):
        return UserFactory(account=other, is_admin=True)


@pytest.fixture
def raw_key(account, user) -> str:
    return create_key(account, name="tests", scopes=["*"], by=user)[1]


@pytest.fixture
def native(raw_key) -> APIClient:
    """A client of our own API."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {raw_key}")
    return client


@pytest.fixture
def browser(client, user):
    """Django's test client, logged in as the administrator."""
    client.force_login(user)
    return client
