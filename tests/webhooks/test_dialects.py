"""Endpoints of a dialect: an envelope for every attempt, letters to mail addresses, each target once."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
import time_machine

from crm.comments import create_comment
from crm.leads import create_lead, update_lead
from crm.opening import furnish
from pipelime.accounts.keys import create_key
from pipelime.accounts.models import Account, Notice
from pipelime.api.propipelines.event_names import ADVANCED, BASIC
from pipelime.api.propipelines.events import dialect as propipelines
from pipelime.errors import Conflict, Invalid, NotIncluded
from pipelime.events.recording import record
from tests.factories import CompanyFactory, EndpointFactory, LeadFactory
from tests.sinks import HttpReceiver
from webhooks.dialects import dialect_named
from webhooks.endpoints import (
    create_endpoint,
    disable_endpoint,
    rotate_secret,
    send_test,
    trigger,
    update_endpoint,
)
from webhooks.models import Attempt, Delivery, Endpoint

URL = "https://hooks.example.com/in?token=a%20b&x=1"


@pytest.fixture
def lead(account, user):
    furnish(account)
    return create_lead(account, by=user, title="Bountiful", owner=user)


@pytest.fixture
def subscribe(account, user):
    """A webhook of Pro Pipe Lines, and what signs for it."""

    def subscribe(event: str = "lead.creation", **facts):
        facts = facts or {"url": URL}
        return create_endpoint(account, by=user, dialect="propipelines", events=[event], **facts)

    return subscribe


def sha1(number: int, key: str) -> str:
    """As a receiver computes it."""
    digest = hashlib.sha1(usedforsecurity=False)
    digest.update(str(number).encode())
    digest.update(key.encode())
    return digest.hexdigest()


def test_the_envelope_is_signed_in_the_body_with_the_key(account, user, lead, subscribe, receiver, deliver):
    key, raw = create_key(account, name="Zapier", scopes=["*"], by=user)
    _, secret = create_endpoint(
        account, by=key, dialect="propipelines", events=["lead.status.changed.to.won"], api_key=key,
        raw_key=raw, url=f"{receiver.url}in?token=s%C3%A9same&x=1",
    )  # fmt: skip

    update_lead(lead, by=user, status="won")
    deliver()

    [request] = receiver.requests
    delivery = Delivery.objects.get()
    sent = orjson.loads(request.body)["webhook_event"]
    assert secret == raw
    assert request.path == "/in?token=s%C3%A9same&x=1"
    assert request.headers["content-type"] == "application/json"
    assert {name: sent[name] for name in sent if name != "data"} == {
        "id": delivery.pk,
        "event": "lead.status.changed.to.won",
        "signature": sha1(delivery.pk, raw),
        "has_succeeded": False,
        "try_count": 1,
        "last_returned_code": None,
    }
    assert sent["data"] == orjson.loads(delivery.body)
    assert (sent["data"]["id"], sent["data"]["status"]) == (lead.pk, "Won")
    assert (delivery.state, delivery.last_status, delivery.attempts) == ("done", 200, 1)
    assert raw.encode() not in request.body


def test_every_attempt_says_how_many_there_were_and_what_came_of_the_last(
    lead, user, subscribe, deliver, settings
):
    with (
        HttpReceiver(500, 404, 200) as receiver,
        time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC)) as clock,
    ):
        subscribe("lead.deleted", url=receiver.url)
        record("lead.deleted", lead, by=user)
        deliver()
        for _ in range(2):
            clock.shift(timedelta(minutes=7))
            deliver(failing=True)

    sent = [orjson.loads(request.body)["webhook_event"] for request in receiver.requests]
    assert [(event["try_count"], event["last_returned_code"]) for event in sent] == [
        (1, None), (2, 500), (3, 404),
    ]  # fmt: skip
    assert len({event["signature"] for event in sent}) == 1
    assert Delivery.objects.get().state == "done"


def test_a_webhook_made_by_a_person_gets_a_key_of_its_own(lead, user, subscribe, receiver, deliver):
    _, secret = subscribe("lead.any_update", url=receiver.url)

    update_lead(lead, by=user, title="Renamed")
    deliver()

    sent = orjson.loads(receiver.requests[0].body)["webhook_event"]
    assert len(secret) >= 40
    assert sent["signature"] == sha1(sent["id"], secret)


def test_after_a_rotation_the_new_key_signs(user, lead, subscribe, receiver, deliver):
    endpoint, old = subscribe("lead.any_update", url=receiver.url)

    new = rotate_secret(endpoint, by=user)
    update_lead(lead, by=user, title="Renamed")
    deliver()

    sent = orjson.loads(receiver.requests[0].body)["webhook_event"]
    assert new != old
    assert sent["signature"] == sha1(sent["id"], new)


def test_a_dialect_may_have_pauses_of_its_own(account, lead, user, subscribe, deliver, monkeypatch):
    monkeypatch.setattr(propipelines, "retry_delays", [timedelta(hours=1)], raising=False)
    with HttpReceiver(500) as receiver, time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC)) as clock:
        subscribe("lead.deleted", url=receiver.url)
        record("lead.deleted", lead, by=user)
        deliver()
        paused = Delivery.objects.get().due_at - datetime(2026, 3, 1, tzinfo=UTC)
        clock.shift(timedelta(hours=2))
        deliver(failing=True)

    assert timedelta(minutes=45) < paused <= timedelta(minutes=73)
    assert (Delivery.objects.get().state, Delivery.objects.get().attempts) == ("failed", 2)


def test_a_mail_address_gets_the_facts_the_description_and_the_comments(
    lead, user, subscribe, deliver, settings
):
    update_lead(lead, by=user, description="Email: e.swan@bountiful.corp", amount=1500)
    create_comment(lead, by=user, content="Wants a quote")
    subscribe("lead.status.changed.to.won", target_type="email", email="billing@example.com")

    update_lead(lead, by=user, status="won")
    assert deliver() == 1

    notice = Notice.objects.get()
    delivery = Delivery.objects.get()
    assert (notice.to, notice.subject) == ("billing@example.com", "lead.status.changed.to.won: Bountiful")
    for line in (
        "Status: Won", "Amount: 1500.00 EUR", f"Assigned to: {user.name}", "E-mail: e.swan@bountiful.corp",
        "Email: e.swan@bountiful.corp", "Wants a quote", f"{settings.PIPELIME_URL}/leads/{lead.pk}",
    ):  # fmt: skip
        assert line in notice.text.splitlines()
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("done", 1, None)
    assert Attempt.objects.get().delivery == delivery


def test_of_a_prospect_a_mail_says_what_there_is(account, user, subscribe, deliver):
    from crm.prospecting import create_list

    subscribe("prospect.created", target_type="email", email="ada@example.com")

    create_list(account, by=user, title="Fair", columns=["Name"], rows=[["Grace"]])
    deliver()

    assert "content: ['Grace']" in Notice.objects.get().text


def test_a_mail_whose_outcome_is_not_written_is_not_queued(lead, user, subscribe, monkeypatch):
    from pipelime.scope import every_account
    from webhooks import delivery
    from webhooks.claiming import claim_next

    subscribe("lead.deleted", target_type="email", email="ada@example.com")
    record("lead.deleted", lead, by=user)
    with every_account():
        claim = claim_next()
        Delivery.objects.update(fence=7)  # somebody else has taken it meanwhile
        delivery.Batch(claim).deliver()

    assert not Notice.objects.exists()


def test_a_test_of_a_notification_is_a_mail(user, account, subscribe, deliver):
    endpoint, _ = subscribe(target_type="email", email="ada@example.com", name="Alarm")

    send_test(endpoint, by=user)
    deliver()

    assert Notice.objects.get().subject == "endpoint.tested: Alarm"


@pytest.mark.parametrize(
    "facts", [{"url": URL}, {"target_type": "email", "email": "ada@example.com"}], ids=["url", "email"]
)
def test_one_event_goes_to_one_target_once(account, user, subscribe, facts):
    first, _ = subscribe(**facts)

    with pytest.raises(Conflict, match="already") as refusal:
        subscribe(**facts)

    assert refusal.value.number == first.pk
    subscribe("lead.deleted", **facts)
    assert Endpoint.objects.count() == 2


def test_a_change_into_another_webhook_s_event_and_target_is_refused(user, subscribe):
    first, _ = subscribe()
    other, _ = subscribe("lead.deleted")

    with pytest.raises(Conflict) as refusal:
        update_endpoint(other, by=user, events=["lead.creation"])

    assert refusal.value.number == first.pk
    assert Endpoint.objects.get(pk=other.pk).events == ["lead.deleted"]


def test_the_same_target_may_have_several_webhooks_of_our_own(account, user):
    for _ in range(2):
        create_endpoint(account, by=user, url=URL, events=["*"])

    assert Endpoint.objects.count() == 2


@pytest.mark.parametrize(
    ("facts", "field", "says"),
    [
        ({"events": ["lead.created"], "url": URL}, "events", "'lead.created' is no event"),
        ({"events": ["*"], "url": URL}, "events", "is no event"),
        ({"events": ["lead.step.changed.to.Sales.Nowhere"], "url": URL}, "events", "is no event"),
        ({"events": ["lead.creation", "lead.deleted"], "url": URL}, "events", "one event"),
        ({"events": ["lead.creation"]}, "url", "needs a URL"),
        ({"events": ["lead.creation"], "target_type": "email"}, "email", "needs an address"),
        ({"events": ["lead.creation"], "target_type": "email", "email": "ada"}, "email", "email"),
        ({"events": ["lead.creation"], "target_type": "fax", "url": URL}, "target_type", "url, email"),
        ({"events": ["lead.creation"], "url": URL, "email": "a@b.example"}, "email", "goes to a URL"),
        ({"events": ["lead.creation"], "url": URL, "on_menu": True}, "on_menu", "lead.manual.trigger"),
    ],
)
def test_what_will_not_do_is_refused_with_what_would(lead, account, user, facts, field, says):
    with pytest.raises(Invalid, match=says) as refusal:
        create_endpoint(account, by=user, dialect="propipelines", **facts)

    assert list(refusal.value.fields) == [field]
    assert not Endpoint.objects.exists()


def test_our_own_dialect_knows_no_mail_addresses(account, user):
    with pytest.raises(Invalid, match="Standard Webhooks; use url"):
        create_endpoint(account, by=user, target_type="email", email="ada@example.com", events=["*"])


@pytest.mark.parametrize("event", ADVANCED)
def test_advanced_events_need_their_plan(account, user, subscribe, event):
    account.plan = Account.Plan.STARTER
    account.save()

    with pytest.raises(NotIncluded, match="Professional"):
        subscribe(event)

    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("event", BASIC)
def test_basic_events_are_in_every_plan(account, user, subscribe, event):
    account.plan = Account.Plan.STARTER
    account.save()

    assert subscribe(event)[0].events == [event]


def test_the_menu_of_leads_has_what_is_enabled_and_marked(account, user, subscribe):
    shown, _ = subscribe("lead.manual.trigger", url=URL, on_menu=True)
    off, _ = subscribe("lead.manual.trigger", url=f"{URL}&off", on_menu=True)
    subscribe("lead.manual.trigger", url=f"{URL}&plain")
    disable_endpoint(off, by=user, reason="Off")

    assert list(Endpoint.objects.on_menu()) == [shown]


def test_what_is_triggered_reaches_the_chosen_webhook_and_our_own_that_hear_everything(
    lead, user, account, subscribe
):
    chosen, _ = subscribe("lead.manual.trigger", url=URL, on_menu=True)
    subscribe("lead.manual.trigger", url=f"{URL}&other", on_menu=True)
    everything = EndpointFactory(account=account, events=["*"])

    trigger(lead, chosen, by=user)

    told = Delivery.objects.order_by("event_name").values_list("endpoint", "event_name")
    assert list(told) == [(chosen.pk, "lead.manual.trigger"), (everything.pk, "lead.triggered")]


def test_a_webhook_of_our_own_is_triggered_once(lead, user, account):
    endpoint, _ = create_endpoint(account, by=user, url=URL, events=["lead.triggered"], on_menu=True)

    trigger(lead, endpoint, by=user)

    assert Delivery.objects.get().event_name == "lead.triggered"


def test_only_what_listens_to_it_is_triggered(lead, user, subscribe):
    with pytest.raises(Invalid, match="does not listen"):
        trigger(lead, subscribe("lead.creation")[0], by=user)

    assert not Delivery.objects.exists()


def test_a_disabled_webhook_is_not_triggered(lead, user, subscribe):
    endpoint, _ = subscribe("lead.manual.trigger")
    disable_endpoint(endpoint, by=user, reason="Off")

    with pytest.raises(Conflict, match="enable it"):
        trigger(lead, endpoint, by=user)


def test_a_foreign_webhook_is_not_triggered(lead, user):
    foreign = EndpointFactory(events=["lead.triggered"])

    with pytest.raises(Invalid, match="no such"):
        trigger(lead, foreign, by=user)


def test_one_fact_reaches_each_dialect_in_its_own_words(account, user, lead, subscribe):
    subscribe("lead.deleted")
    EndpointFactory(account=account, events=["lead.*"])

    record("lead.deleted", lead, by=user)

    bodies = {row.event_name: orjson.loads(row.body) for row in Delivery.objects.select_related("endpoint")}
    assert len(Delivery.objects.all()) == 2
    assert set(bodies) == {"lead.deleted"}
    texts = sorted(
        (row.endpoint.dialect, sorted(orjson.loads(row.body))[0]) for row in Delivery.objects.all()
    )
    assert texts == [("native", "data"), ("propipelines", "all_contact_emails")]


def test_asking_who_listens_stays_one_query_with_several_dialects(
    account, user, subscribe, django_assert_num_queries
):
    from webhooks.subscribing import enqueue

    subscribe("prospect.created")
    EndpointFactory.create_batch(2, account=account, events=["lead.*"])
    event = record("company.created", CompanyFactory(account=account), by=user)

    with django_assert_num_queries(1):
        enqueue([event])


def test_a_dialect_has_our_own_ways_unless_it_says_otherwise(account, user):
    event = record("lead.updated", LeadFactory(account=account), by=user)
    plain = dialect_named("native")

    assert plain.names(event) == ("lead.updated",)
    assert plain.heard(["contact.*", "lead.*"], ("lead.updated",)) == ("lead.updated",)
    assert plain.heard(["contact.*"], ("lead.updated",)) == ()
    assert dialect_named("propipelines") is propipelines


def test_a_reminder_is_told_with_its_moment(lead, user, subscribe):
    subscribe("lead.status.changed.to.standby")

    update_lead(lead, by=user, status="standby", remind_date=date(2030, 1, 31))

    told = orjson.loads(Delivery.objects.get().body)
    lead.refresh_from_db()
    assert (told["remind_date"], told["status"]) == ("2030-01-31", "Standby")
    assert told["next_action_at"] == told["reminder_at"]
