"""What an endpoint hears of a lead's status: the one before and the new one, once for each change."""

from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from outreach.enrolments import finished, park, pause_enrolment, remove_enrolment, set_intent, stop
from outreach.incoming.effects import take_reply
from outreach.linkedin.tasks import connected
from outreach.marking import mark
from outreach.models import Enrolment, Incoming, Message
from pipelime.api.sendpilot.events import dialect
from pipelime.events.recording import record, record_all
from tests.api.sendpilot.conftest import PROFILE, posted
from tests.factories import (
    CompanyFactory,
    ContactFactory,
    ConversationFactory,
    EnrolmentFactory,
    IncomingFactory,
    MessageFactory,
)
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db
INVITATION, MESSAGE, EMAIL = "linkedin_invitation", "linkedin_message", "email"


@pytest.fixture(autouse=True)
def endpoint(listen):
    return listen("lead.status.changed")


def changes() -> list[tuple[str, str]]:
    told = [posted(delivery)[1]["data"] for delivery in Delivery.objects.order_by("pk")]
    return [(one["previousStatus"], one["newStatus"]) for one in told]


def send(lead, *channels) -> None:
    """Through the sequence, a step after the other."""
    for channel in channels:
        step = Message.objects.filter(enrolment=lead).count() + 1
        message = MessageFactory(
            account=lead.account, enrolment=lead, state="sent", channel=channel, step_number=step
        )
        with transaction.atomic():
            record(message.done_event, message, by=None)


def answer(lead, at: datetime | None = None) -> Incoming:
    talk = ConversationFactory(account=lead.account, counterpart=f"{timezone.now():%s%f}@example.com")
    reply = IncomingFactory(
        account=lead.account, conversation=talk, enrolment=lead, contact=lead.contact, at=at or timezone.now()
    )
    take_reply(reply)
    return reply


def test_each_thing_that_is_sent_moves_a_lead_as_far_as_it_is_new(lead):
    send(lead, INVITATION, MESSAGE, MESSAGE, EMAIL)

    assert changes() == [("PENDING", "CONNECTION_SENT"), ("CONNECTION_SENT", "MESSAGE_SENT")]


def test_a_mail_to_a_lead_that_nothing_was_sent_to(lead):
    send(lead, EMAIL, INVITATION)

    assert changes() == [("PENDING", "MESSAGE_SENT")]


def test_an_accepted_invitation_moves_a_lead_that_has_no_message_yet(lead):
    send(lead, INVITATION)
    connected(lead, timezone.now(), by=None)
    connected(lead, timezone.now(), by=None)
    send(lead, MESSAGE)

    assert changes()[1:] == [
        ("CONNECTION_SENT", "CONNECTION_ACCEPTED"),
        ("CONNECTION_ACCEPTED", "MESSAGE_SENT"),
    ]


def test_an_invitation_accepted_after_a_mail_changes_nothing(lead):
    send(lead, INVITATION, EMAIL)
    connected(lead, timezone.now(), by=None)

    assert len(changes()) == 2


@pytest.mark.parametrize("stops", [True, False])
def test_the_first_answer_is_told_and_the_second_is_not(lead, campaign, stops):
    type(campaign).objects.filter(pk=campaign.pk).update(stop_on_reply=stops)
    send(lead, EMAIL)

    answer(Enrolment.objects.get())
    answer(Enrolment.objects.get(), at=timezone.now() + timedelta(hours=1))

    assert changes()[1:] == [("MESSAGE_SENT", "REPLY_RECEIVED")]


def test_colleagues_who_are_stopped_by_an_answer_are_done(lead, campaign, account):
    type(campaign).objects.filter(pk=campaign.pk).update(stop_on_company_reply=True)
    acme = CompanyFactory(account=account)
    lead.contact.company = acme
    lead.contact.save()
    EnrolmentFactory(
        account=account, campaign=campaign, contact=ContactFactory(account=account, company=acme)
    )

    answer(Enrolment.objects.select_related("campaign", "contact").get(pk=lead.pk))

    assert changes() == [("PENDING", "DONE"), ("PENDING", "REPLY_RECEIVED")]


def test_whoever_answers_after_the_last_step_was_done(lead):
    send(lead, EMAIL)
    with transaction.atomic():
        finished([lead.pk])
    answer(Enrolment.objects.get())

    assert changes()[1:] == [("MESSAGE_SENT", "DONE"), ("DONE", "REPLY_RECEIVED")]


@pytest.mark.parametrize("reason", ["unsubscribed", "bounced: no such user"])
def test_whoever_is_stopped_is_done(lead, reason):
    send(lead, EMAIL)
    stop(Enrolment.objects.all(), reason=reason)

    assert changes()[1:] == [("MESSAGE_SENT", "DONE")]


def test_whoever_is_removed_is_done(lead, user):
    remove_enrolment(lead, by=user)

    assert changes() == [("PENDING", "DONE")]


def test_what_the_vendor_has_no_status_for_is_not_told(lead, user):
    pause_enrolment(lead, by=user)
    park(Enrolment.objects.all(), until=timezone.now() + timedelta(days=3), reason="out of office")
    set_intent(lead, Enrolment.Intent.NOT_NOW, by=user)

    assert changes() == []


def test_a_meaning_given_to_an_answer_is_told(lead, user):
    set_intent(lead, Enrolment.Intent.NOT_NOW, by=user)
    set_intent(lead, Enrolment.Intent.INTERESTED, by=user)
    set_intent(lead, Enrolment.Intent.MEETING, by=user)

    assert changes() == [("PENDING", "OPPORTUNITY"), ("OPPORTUNITY", "MEETING_BOOKED")]


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"is_done": True, "intent": ""}, "DONE"),
        ({"has_replied": True, "intent": ""}, "REPLY_RECEIVED"),
        ({"is_connected": True}, "CONNECTION_ACCEPTED"),
        ({"intent": Enrolment.Intent.NOT_INTERESTED}, "NOT_INTERESTED"),
    ],
)
def test_a_status_by_hand_is_told_once(lead, user, facts, status):
    mark(lead, by=user, **facts)

    assert changes() == [("PENDING", status)]


def test_whoever_was_done_by_hand_may_have_answered_after_all(lead, user):
    mark(lead, by=user, is_done=True)
    mark(lead, by=user, has_replied=True, intent="")

    assert changes() == [("PENDING", "DONE"), ("DONE", "REPLY_RECEIVED")]


def test_an_endpoint_that_asked_for_both_hears_both_as_two_events(lead, endpoint):
    type(endpoint).objects.update(events=["message.sent", "lead.updated"])

    send(lead, EMAIL, EMAIL)

    told = [posted(delivery)[1] for delivery in Delivery.objects.order_by("pk")]
    assert [one["eventType"] for one in told] == ["message.sent", "lead.updated", "message.sent"]
    assert len({one["eventId"] for one in told}) == 3


def test_whoever_wants_everything_hears_the_older_names(lead, endpoint):
    type(endpoint).objects.update(events=["*"])

    send(lead, EMAIL)

    names = list(Delivery.objects.order_by("pk").values_list("event_name", flat=True))
    assert names == ["message.sent", "lead.status.changed"]


@pytest.mark.parametrize("by", ["user", None])
def test_who_has_changed_it_is_told(lead, user, by):
    mark(lead, by=user if by else None, is_done=True)

    assert posted(Delivery.objects.get())[1]["data"]["changedBy"] == ("user" if by else "automation")


def test_a_batch_costs_as_many_queries_as_one(account, django_assert_max_num_queries):
    leads = EnrolmentFactory.create_batch(30, account=account)
    with transaction.atomic():
        events = record_all(
            "enrolment.status_changed",
            [(lead, {"changes": {"intent": ["", "x"]}}) for lead in leads],
            by=None,
        )

    with django_assert_max_num_queries(3):
        dialect.names_of(events)
    with django_assert_max_num_queries(3):
        dialect.render(events, "url")


def test_a_contact_has_its_profile_in_every_event(lead):
    send(lead, EMAIL)

    assert posted(Delivery.objects.get())[1]["data"]["linkedinUrl"] == PROFILE
