"""Receivers on loopback that the operator allows, and deliveries to them."""

from __future__ import annotations

import socket

import pytest

from pipelime.scope import every_account
from tests.factories import DeliveryFactory, EndpointFactory
from tests.sinks import HttpReceiver
from webhooks.claiming import claim_next
from webhooks.delivery import Batch


@pytest.fixture(autouse=True)
def loopback_is_allowed(settings):
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]


@pytest.fixture
def receiver():
    with HttpReceiver() as receiver:
        yield receiver


@pytest.fixture
def endpoint(account, receiver):
    return EndpointFactory(account=account, url=receiver.url)


@pytest.fixture
def hung_url():
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.fixture
def deliver():
    """Deliver what is due, one claim after another; `failing` serves the failing endpoints once."""

    def deliver(*, failing: bool = False) -> int:
        attempted = 0
        with every_account():
            while claim := claim_next(failing=failing):
                attempted += Batch(claim).deliver()
        return attempted

    return deliver


def make_deliveries(endpoint, count: int, **facts):
    return [
        DeliveryFactory(account=endpoint.account, endpoint=endpoint, body=f'{{"n":{n}}}', **facts)
        for n in range(count)
    ]
