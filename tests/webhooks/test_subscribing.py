import uuid
from datetime import UTC, datetime

import orjson
import pytest
from django.db import transaction

from pipelime.accounts.keys import create_key, disable_key, revoke_key
from pipelime.events.models import Event
from pipelime.events.recording import record, record_all, write
from pipelime.scope import every_account
from tests.api.moments import in_milliseconds
from tests.factories import AccountFactory, CompanyFactory, ContactFactory, EndpointFactory
from webhooks.models import Delivery, Endpoint


def test_an_event_is_queued_for_every_endpoint_that_listens(account, user):
    hears_all = EndpointFactory(account=account, events=["*"])
    hears_contacts = EndpointFactory(account=account, events=["contact.*"])
    EndpointFactory(account=account, events=["contact.deleted", "lead.*"])

    event = record("contact.created", ContactFactory(account=account), by=user)

    deliveries = Delivery.objects.order_by("endpoint_id")
    assert [delivery.endpoint for delivery in deliveries] == [hears_all, hears_contacts]
    assert {delivery.event for delivery in deliveries} == {event}
    assert {(delivery.state, delivery.attempts, delivery.event_name) for delivery in deliveries} == {
        ("queued", 0, "contact.created")
    }
    assert len({delivery.webhook_id for delivery in deliveries}) == 2


def test_the_body_tells_what_happened_in_one_line(account, user):
    EndpointFactory(account=account)
    company = CompanyFactory(account=account, name="Straße & Söhne")

    event = record("company.updated", company, by=user, changes={"name": ["Old", "Straße & Söhne"]})

    body = Delivery.objects.get().body
    assert body == orjson.dumps(orjson.loads(body)).decode()
    assert orjson.loads(body) == {
        "type": "company.updated",
        "timestamp": in_milliseconds(event.at),
        "data": {
            "id": str(event.uid),
            "object": orjson.loads(orjson.dumps(company.snapshot(), default=str)),
            "changes": {"name": ["Old", "Straße & Söhne"]},
            "actor": {"id": str(user.uid), "name": user.name},
        },
    }


def test_what_the_machine_did_has_no_actor(account):
    EndpointFactory(account=account)

    record("company.created", CompanyFactory(account=account), by=None)

    assert orjson.loads(Delivery.objects.get().body)["data"]["actor"] is None


def test_the_body_stays_as_it_was_when_the_event_happened(account, user):
    EndpointFactory(account=account)
    company = CompanyFactory(account=account, name="Before")
    record("company.created", company, by=user)

    company.name = "After"
    company.save()

    assert orjson.loads(Delivery.objects.get().body)["data"]["object"]["name"] == "Before"


def test_a_disabled_endpoint_hears_nothing(account, user):
    EndpointFactory(account=account, disabled_at=datetime(2026, 1, 1, tzinfo=UTC))

    record("company.created", CompanyFactory(account=account), by=user)

    assert not Delivery.objects.exists()


def test_a_batch_of_several_accounts_reaches_each_ones_own_endpoints(account):
    other = AccountFactory()
    mine, theirs = EndpointFactory(account=account), EndpointFactory(account=other)
    facts = [(CompanyFactory(account=owner), {}) for owner in (account, other, other)]

    with every_account(), transaction.atomic():
        record_all("company.created", facts, by=None)

        pairs = Delivery.objects.values_list("account_id", "endpoint_id", "event__account_id")
        assert sorted(pairs) == sorted(
            [(account.pk, mine.pk, account.pk), *[(other.pk, theirs.pk, other.pk)] * 2]
        )


def many_events(account, count):
    return [
        Event(
            account_id=account.pk,
            name="contact.created",
            at=datetime(2026, 1, 1, tzinfo=UTC),
            subject_type="contact",
            subject_id=number,
            subject_uid=uuid.uuid4(),
            data={"object": {"number": number}},
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("events", [1, 300])
def test_without_endpoints_a_batch_costs_one_query(account, django_assert_num_queries, events):
    from webhooks.subscribing import enqueue

    with django_assert_num_queries(1):
        enqueue(many_events(account, events))


def test_a_batch_costs_two_queries_however_many_events_and_endpoints(account, django_assert_num_queries):
    from webhooks.subscribing import enqueue

    EndpointFactory.create_batch(3, account=account)
    with transaction.atomic():
        events = write(many_events(account, 300))
    Delivery.objects.all().delete()

    with django_assert_num_queries(2):
        enqueue(events)

    assert Delivery.objects.count() == 900


def test_a_delivery_rings_the_bell_once_committed(account, user, bells, django_capture_on_commit_callbacks):
    EndpointFactory(account=account)

    with django_capture_on_commit_callbacks(execute=True):
        record("company.created", CompanyFactory(account=account), by=user)

    assert "webhooks.tasks.deliver_due" in bells


def test_nothing_to_deliver_rings_no_bell(account, user, bells, django_capture_on_commit_callbacks):
    EndpointFactory(account=account, events=["lead.*"])

    with django_capture_on_commit_callbacks(execute=True):
        record("company.created", CompanyFactory(account=account), by=user)

    assert "webhooks.tasks.deliver_due" not in bells


@pytest.mark.parametrize(
    ("end_key", "reason"),
    [(disable_key, "Its API key was disabled"), (revoke_key, "Its API key was revoked")],
)
def test_an_endpoint_ends_with_the_key_it_was_made_with(account, user, end_key, reason):
    key, _ = create_key(account, name="Zapier", scopes=["*"], by=user)
    made_with_it = EndpointFactory(account=account, api_key=key)
    untouched = EndpointFactory(account=account)

    end_key(key, by=user)

    assert Endpoint.objects.get(pk=made_with_it.pk).disabled_reason == reason
    assert Endpoint.objects.get(pk=untouched.pk).is_enabled
    assert Event.objects.filter(name="endpoint.disabled").count() == 1
