from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from pipelime.accounts.models import Notice
from pipelime.events.models import Event
from tests.factories import EndpointFactory, UserFactory
from tests.sinks import HttpReceiver
from tests.webhooks.conftest import make_deliveries
from webhooks.models import Attempt, Delivery, Endpoint

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest.fixture
def admins(account):
    UserFactory(account=account, email="seller@example.com")
    UserFactory(account=account, email="gone@example.com", is_admin=True, disabled_at=START)
    UserFactory(email="stranger@example.com", is_admin=True)
    return [UserFactory(account=account, email=f"{name}@example.com", is_admin=True) for name in "ab"]


@pytest.fixture
def broken(account):
    with HttpReceiver(500) as receiver:
        yield EndpointFactory(account=account, url=receiver.url, events=["contact.*"])


def notices() -> list[tuple[str, str]]:
    return sorted(Notice.objects.values_list("subject", "to"))


def test_a_failure_starts_the_clock_and_a_success_ends_it(account, clock, deliver):
    with HttpReceiver(500, 500, 200) as receiver:
        endpoint = EndpointFactory(account=account, url=receiver.url, warned_at=START)
        make_deliveries(endpoint, 1)
        deliver()
        assert Endpoint.objects.get().failing_since == START

        clock.move_to(Delivery.objects.get().due_at)
        deliver(failing=True)
        assert Endpoint.objects.get().failing_since == START

        clock.move_to(Delivery.objects.get().due_at)
        deliver(failing=True)
    stored = Endpoint.objects.get()
    assert (stored.failing_since, stored.warned_at) == (None, None)


def test_failures_after_a_success_of_the_same_batch_start_the_clock(account, deliver):
    with HttpReceiver(200, 500) as receiver:
        make_deliveries(EndpointFactory(account=account, url=receiver.url), 3)
        deliver()

    moments = list(Attempt.objects.order_by("pk").values_list("at", flat=True))
    assert Endpoint.objects.get().failing_since == moments[1]


def test_after_a_day_of_failures_the_admins_are_warned_once(account, admins, broken, clock, deliver):
    make_deliveries(broken, 3)
    deliver()
    assert notices() == []

    for hours in (24, 1):
        clock.shift(timedelta(hours=hours))
        deliver(failing=True)

    assert notices() == [("A webhook is failing", "a@example.com"), ("A webhook is failing", "b@example.com")]
    assert broken.url in Notice.objects.first().text
    assert Endpoint.objects.get().is_enabled


def test_after_five_days_of_failures_the_endpoint_is_disabled_and_the_admins_know(
    account, admins, broken, clock, deliver
):
    make_deliveries(broken, 1)
    deliver()
    clock.shift(timedelta(days=5) - timedelta(seconds=1))
    deliver(failing=True)
    assert Endpoint.objects.get().is_enabled
    Notice.objects.all().delete()

    make_deliveries(broken, 2)
    clock.shift(timedelta(seconds=1))
    deliver(failing=True)

    stored = Endpoint.objects.get()
    assert stored.disabled_reason == "Nothing could be delivered for 5 days"
    assert Event.objects.get(name="endpoint.disabled").data["object"]["url"] == broken.url
    assert [to for _, to in notices()] == ["a@example.com", "b@example.com"]
    assert "queued" not in Delivery.objects.values_list("state", flat=True)


def test_an_endpoint_that_delivers_now_and_then_is_never_disabled(account, clock, deliver):
    with HttpReceiver(500, 200, 500, 500) as receiver:
        endpoint = EndpointFactory(account=account, url=receiver.url)
        for days in (0, 4, 4):
            clock.shift(timedelta(days=days))
            make_deliveries(endpoint, 1)
            deliver(failing=Endpoint.objects.get().failing_since is not None)

    assert Endpoint.objects.get().is_enabled


def test_a_receiver_that_is_gone_is_disabled_at_once(account, admins, deliver):
    with HttpReceiver(200, 410) as receiver:
        endpoint = EndpointFactory(account=account, url=receiver.url, events=["contact.*"])
        make_deliveries(endpoint, 4)
        deliver()

        assert len(receiver.requests) == 2
    assert Endpoint.objects.get().disabled_reason == "The receiver answered 410 Gone"
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == [
        "done", "failed", "cancelled", "cancelled",
    ]  # fmt: skip
    assert [to for _, to in notices()] == ["a@example.com", "b@example.com"]
