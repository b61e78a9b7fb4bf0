"""What every test may ask for: an account with its scope open, a person, a key, clients."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.cache import cache
from hypothesis import settings
from rest_framework.test import APIClient

from pipelime import doorbell
from pipelime.accounts.keys import create_key
from pipelime.scope import account_scope
from tests.factories import AccountFactory, UserFactory

# The same examples each time, so that a commit is judged by itself: `--hypothesis-profile=default` looks
# further.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

# They reach the database through what other tests ask both kinds of.
ONCE = (
    "tests/backoffice/",
    "tests/attacks/",
    "tests/api/pgai/",
    "tests/api/propipelines/",
    "tests/api/sendpilot/",
)
# Their statements are of a kind that no other test has.
EVERYWHERE = ("test_lead_filters.py", "test_duplicates.py", "test_histories.py")


def pytest_addoption(parser) -> None:
    parser.addoption(
        "--only-services",
        action="store_true",
        help="leave out tests that use no database and no broker: a second run on other services has nothing"
        " new to say about them",
    )


def pytest_collection_modifyitems(config, items) -> None:
    if config.getoption("--only-services"):
        kept = [item for item in items if uses_services(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept


def uses_services(item: pytest.Item) -> bool:
    """Tests of the kernel and of real processes do; of the others, those that ask for a database."""
    once = any(folder in item.nodeid for folder in ONCE)
    if item.get_closest_marker("once") or (once and item.path.name not in EVERYWHERE):
        return False
    asks = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    marked = item.get_closest_marker("django_db") or item.get_closest_marker("end_to_end")
    return bool(asks or marked) or "tests/pipelime/" in item.nodeid


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
def folder(settings, tmp_path) -> Path:
    """Where files are stored during this test."""
    place = tmp_path / "files"
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": place}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    return place


@pytest.fixture
def browser(client, user):
    """Django's test client, logged in as the administrator."""
    client.force_login(user)
    return client
