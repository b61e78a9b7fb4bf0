from datetime import timedelta

import orjson
import pytest
from django.utils import timezone

from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from pipelime.events.recording import record
from pipelime.scope import every_account
from tests.factories import CompanyFactory, DeliveryFactory, EndpointFactory
from webhooks.endpoints import disable_endpoint, enable_endpoint
from webhooks.models import Delivery
from webhooks.replaying import replay


@pytest.fixture
def hook(account, receiver):
    return EndpointFactory(account=account, url=receiver.url, events=["company.*"])


@pytest.fixture
def happen(account, user):
    """Records that a company was made; returns the event."""
    return lambda: record("company.created", CompanyFactory(account=account), by=user)


def settle(event, state, **facts) -> Delivery:
    Delivery.objects.filter(event=event).update(state=state, **facts)
    return Delivery.objects.get(event=event)


def test_everything_missed_since_a_moment_is_sent_again_and_nothing_else(
    account, user, hook, happen, receiver, deliver
):
    before, failed, cancelled, waiting, done = (happen() for _ in range(5))
    for event, state in ((before, "failed"), (failed, "failed"), (cancelled, "cancelled"), (done, "done")):
        settle(event, state, attempts=10)
    settle(waiting, "queued", attempts=3, due_at=timezone.now() + timedelta(hours=5))
    missed = {Delivery.objects.get(event=event).webhook_id for event in (failed, cancelled, waiting)}

    assert replay(hook, by=user, since=failed.at) == 3
    deliver()

    assert {request.headers["webhook-id"] for request in receiver.requests} == missed
    assert len(receiver.requests) == 3
    assert Delivery.objects.get(event=before).state == "failed"
    assert Event.objects.get(name="endpoint.replayed").data["count"] == 3


def test_what_happened_while_the_endpoint_was_disabled_is_sent_too(
    account, user, hook, happen, receiver, deliver
):
    queued = happen()
    disable_endpoint(hook, by=user, reason="Moving")
    unheard = [happen(), happen()]
    other_account = CompanyFactory()
    with every_account():
        record("company.created", other_account, by=None)
    enable_endpoint(hook, by=user)

    assert replay(hook, by=user, since=queued.at) == 3
    deliver()

    sent = {str(event.uid) for event in (queued, *unheard)}
    assert {uid for uid in sent for request in receiver.requests if uid.encode() in request.body} == sent
    assert len(receiver.requests) == 3


def test_a_second_replay_finds_nothing_more(account, user, hook, happen, deliver):
    event = happen()
    settle(event, "failed")
    replay(hook, by=user, since=event.at)
    deliver()

    assert replay(hook, by=user, since=event.at) == 0
    assert Event.objects.filter(name="endpoint.replayed").count() == 1


def test_a_replayed_delivery_has_all_its_attempts_before_it(account, user, hook, happen):
    event = happen()
    settle(event, "failed", attempts=10)

    replay(hook, by=user, since=event.at)

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("queued", 0)
    assert delivery.due_at <= timezone.now()


def test_one_delivery_is_sent_again_even_if_it_arrived(account, user, hook, happen, receiver, deliver):
    chosen, other = settle(happen(), "done"), settle(happen(), "done")

    assert replay(hook, by=user, delivery=chosen) == 1
    deliver()

    [request] = receiver.requests
    assert request.headers["webhook-id"] == chosen.webhook_id
    assert request.body.decode() == chosen.body
    assert other.state == "done"


def test_a_delivery_whose_body_is_forgotten_is_written_anew(account, user, hook, happen):
    event = happen()
    body = Delivery.objects.get().body
    emptied = settle(event, "failed", body="")

    assert replay(hook, by=user, delivery=emptied) == 1

    assert orjson.loads(Delivery.objects.get().body) == orjson.loads(body)


def test_a_delivery_with_neither_body_nor_event_cannot_be_sent_again(account, user, hook):
    empty = DeliveryFactory(account=account, endpoint=hook, body="", state="failed")

    with pytest.raises(Invalid, match="past their retention"):
        replay(hook, by=user, delivery=empty)


def test_a_delivery_under_way_is_left_alone(account, user, hook):
    claimed = DeliveryFactory(account=account, endpoint=hook, state="claimed")

    assert replay(hook, by=user, delivery=claimed) == 0

    assert Delivery.objects.get().state == "claimed"


def test_a_delivery_of_another_endpoint_is_refused(account, user, hook):
    other = DeliveryFactory(account=account, state="failed")

    with pytest.raises(Invalid, match="another webhook"):
        replay(hook, by=user, delivery=other)

    assert Delivery.objects.get().state == "failed"


def test_a_replay_says_what_to_replay(account, user, hook):
    with pytest.raises(Invalid, match="either since"):
        replay(hook, by=user)
    with pytest.raises(Invalid, match="future"):
        replay(hook, by=user, since=timezone.now() + timedelta(minutes=1))


def test_a_disabled_endpoint_is_enabled_first(account, user, hook):
    disable_endpoint(hook, by=user, reason="Off")

    with pytest.raises(Conflict, match="enable it"):
        replay(hook, by=user, since=timezone.now())
