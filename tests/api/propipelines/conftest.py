"""Clients of this dialect: a program with a key, and people with tokens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from crm.opening import furnish
from pipelime.accounts.keys import issue_token


@pytest.fixture
def program(raw_key) -> APIClient:
    """A program with a key that may do everything."""
    return APIClient(headers={"X-API-KEY": raw_key})


@pytest.fixture
def logged_in() -> Callable[..., APIClient]:
    """A client that asks as the given person."""

    def client(user) -> APIClient:
        return APIClient(headers={"X-USER-TOKEN": issue_token(user)[1]})

    return client


@pytest.fixture
def furnished(account):
    """The account with its pipeline, activity types and fields, in Denver and paid in dollars."""
    account.time_zone, account.currency = "America/Denver", "USD"
    account.save()
    furnish(account)
    return account


@pytest.fixture
def queries(program) -> Callable[[str], int]:
    """How many queries a list takes; asked once before, so that the key's use is written already."""

    def count(path: str) -> int:
        program.get(path)
        with CaptureQueriesContext(connection) as asked:
            assert program.get(path).status_code == 200
        return len(asked)

    return count
