"""What tests of incoming mail share: an account with an address, and a storage of their own."""

from __future__ import annotations

import pytest

from crm.receiving import inbound_address
from tests.factories import FieldFactory, StepFactory


@pytest.fixture(autouse=True)
def inbound_domain(settings, folder) -> None:
    settings.INBOUND_DOMAIN = "in.example.com"


@pytest.fixture
def address(account) -> str:
    """Where the account takes mail; leads begin in its only pipeline."""
    StepFactory(account=account, name="Incoming", position=1, pipeline__is_default=True)
    FieldFactory(account=account, kind="lead", name="Email", key="email", type="email", meaning="email")
    return inbound_address(account)
