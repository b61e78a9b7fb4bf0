"""A provider is asked once, and whatever it says or does not say, the row knows what may have happened."""

from __future__ import annotations

from datetime import time, timedelta

import orjson
import pytest
from django.utils import timezone

from outreach import fence, settling
from outreach.claiming import release_expired
from outreach.enrolments import stop
from outreach.linkedin.port import Done, Found
from outreach.linkedin.sending import send
from outreach.linkedin.tasks import finish
from outreach.linkedin.working import begin, conclude, work
from outreach.models import CapCounter, Conversation, Enrolment, LinkedInAccount, Message
from outreach.tasks import work_linkedin
from pipelime.accounts.models import Notice
from pipelime.errors import Invalid
from pipelime.events.models import Event
from pipelime.scope import every_account
from tests.factories import ContactFactory, EnrolmentFactory, LinkedInAccountFactory
from tests.outreach.linkedin.conftest import GRACE, claimed
from tests.unipile import FINE, PERSON, hangs_up, problem

INVITE, CHATS, LOOK = "POST /api/v1/users/invite", "POST /api/v1/chats", "GET /api/v1/users/"


def posts(unipile) -> list[str]:
    return [asked for asked in unipile.asked if asked.startswith("POST")]


def events() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("name", flat=True))


def used() -> int:
    return sum(CapCounter.objects.values_list("used", flat=True))


def lose_the_lease(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(lease_until=timezone.now() - timedelta(minutes=5))


def test_an_invitation_is_sent_with_the_words_of_its_step(worked, step, unipile, run):
    message = step("linkedin_invitation", worked)

    assert run() == 1

    message.refresh_from_db()
    assert (message.state, message.text, message.provider_id) == (
        "sent", "Hello Grace, may I?", PERSON,
    )  # fmt: skip
    assert unipile.asked == ["GET /api/v1/users/grace-hopper?account_id=acc-1", INVITE]
    request = unipile.requests[1]
    assert request.headers["x-api-key"] == "k3y"
    assert orjson.loads(request.body) == {
        "account_id": "acc-1", "provider_id": PERSON, "message": "Hello Grace, may I?",
    }  # fmt: skip
    assert events() == ["connection.sent"]
    assert used() == 1


def test_a_first_message_begins_a_chat_and_the_next_goes_on_in_it(worked, step, unipile, run, user):
    step("linkedin_message", worked)
    run()
    send(worked, to_profile=GRACE, text="One more thing", by=user)
    run()

    talk = Conversation.objects.get()
    assert (talk.counterpart, talk.provider_id, talk.preview) == (GRACE, "chat-1", "One more thing")
    assert posts(unipile) == [CHATS, "POST /api/v1/chats/chat-1/messages"]
    first, second = (request for request in unipile.requests if request.method == "POST")
    assert f'name="attendees_ids"\r\n\r\n{PERSON}\r\n'.encode() in first.body
    assert b'name="text"\r\n\r\nThank you, Grace. Ada\r\n' in first.body
    assert b'name="text"\r\n\r\nOne more thing\r\n' in second.body
    assert list(Message.objects.order_by("pk").values_list("state", "provider_id")) == [
        ("sent", "msg-1"), ("sent", "msg-2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (problem(422, "no_connection_with_recipient", "Not connected"), "Unipile said 422 Not connected"),
        (problem(404, "resource_not_found", "Gone", "no such user"), "Unipile said 404 Gone: no such user"),
        (problem(403, "resource_access_restricted", "Closed"), "Unipile said 403 Closed"),
    ],
)
def test_what_the_provider_cannot_do_for_this_person_becomes_a_task_with_its_words(
    worked, step, unipile, run, user, answer, words
):
    message = step("linkedin_message", worked)
    unipile.answers[CHATS] = answer

    assert run() == 0

    message.refresh_from_db()
    assert (message.state, message.last_error, message.assignee) == ("todo", words, user)
    assert used() == 0
    assert LinkedInAccount.objects.get().paused_at is None
    finish(message, by=user)
    message.refresh_from_db()
    assert message.state == "sent"
    assert used() == 1


@pytest.mark.parametrize("asked", [LOOK, INVITE])
@pytest.mark.parametrize("status", [401, 403])
def test_an_account_that_is_locked_out_pauses_and_its_owner_is_told_once(
    worked, step, unipile, run, user, enrolment, asked, status
):
    unipile.answers[asked] = problem(status, "disconnected_account", "Disconnected account")
    step("linkedin_invitation", worked)

    run()

    worked.refresh_from_db()
    enrolment.refresh_from_db()
    assert worked.pause_reason == f"Unipile said {status} Disconnected account"
    assert enrolment.state == "waiting"
    assert Message.objects.get().state == "cancelled"
    assert used() == 0
    assert [notice.to for notice in Notice.objects.all()] == [user.email]
    step("linkedin_invitation", worked)
    assert claimed() is None


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (LOOK, problem(500, "unexpected_error")),
        (LOOK, problem(429, "too_many_requests")),
        (LOOK, hangs_up),
        (INVITE, problem(429, "too_many_requests")),
        (INVITE, problem(503, "network_down")),
        (INVITE, problem(422, "cannot_resend_yet")),
    ],
)
def test_what_was_surely_not_taken_is_tried_again_later(worked, step, unipile, run, asked, answer):
    message = step("linkedin_invitation", worked)
    unipile.answers[asked] = answer

    run()

    message.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 1)
    assert message.due_at > timezone.now() + timedelta(minutes=1)
    assert used() == 0


def test_a_provider_that_is_down_is_asked_again_later(worked, step, unipile, run, settings):
    LinkedInAccount.objects.update(provider_url="http://127.0.0.1:9")
    settings.OUTBOUND_ALLOW = ["127.0.0.1:9"]
    message = step("linkedin_invitation", worked)

    run()

    message.refresh_from_db()
    assert (message.state, message.last_error) == ("queued", "The host did not accept a connection")


@pytest.mark.parametrize(
    "answer", [hangs_up, problem(500, "unexpected_error"), problem(504, "request_timeout")]
)
def test_without_a_clear_answer_it_is_ambiguous_and_never_sent_again_by_itself(
    worked, step, unipile, run, answer
):
    message = step("linkedin_invitation", worked)
    unipile.answers[INVITE] = answer

    run()
    run()

    message.refresh_from_db()
    assert message.state == "ambiguous"
    assert posts(unipile) == [INVITE]
    assert events() == ["message.ambiguous"]
    assert used() == 1


def test_a_person_may_have_it_sent_again(worked, unipile, run, user):
    message = send(worked, to_profile=GRACE, text="Hello", by=user)
    unipile.answers[CHATS] = hangs_up
    run()
    unipile.answers[CHATS] = FINE[CHATS]

    settling.settle(Message.objects.get(), by=user, outcome="send_again")

    assert run() == 1
    message.refresh_from_db()
    assert (message.state, message.provider_id) == ("sent", "msg-1")
    assert posts(unipile) == [CHATS, CHATS]


def test_nothing_is_done_while_the_fence_holds(worked, step, unipile, monkeypatch):
    step("linkedin_invitation", worked)
    monkeypatch.setattr(fence, "is_held", lambda: "restored")

    assert work_linkedin() == 0

    assert unipile.asked == []


def test_the_task_works_until_nothing_is_due(worked, step, unipile, bells):
    step("linkedin_invitation", worked)

    assert work_linkedin() == 1

    assert Message.objects.get().state == "sent"


def test_a_worker_that_dies_before_it_asks_leaves_the_message_to_another(worked, step, unipile, run):
    message = step("linkedin_invitation", worked)
    lose_the_lease(claimed())

    with every_account():
        release_expired()

    assert used() == 0
    assert run() == 1
    message.refresh_from_db()
    assert message.state == "sent"


def test_a_worker_that_dies_while_it_asks_leaves_doubt_and_no_second_message(worked, step, unipile, run):
    message = claimed_for(step("linkedin_invitation", worked))
    assert begin(message, Found(person_id=PERSON))
    lose_the_lease(message)

    with every_account():
        settling.expire_sending()

    assert run() == 0
    message.refresh_from_db()
    assert message.state == "ambiguous"
    assert unipile.asked == []


def test_an_answer_that_comes_after_the_lease_still_counts(worked, step, unipile):
    message = claimed_for(step("linkedin_invitation", worked))
    begin(message, Found(person_id=PERSON))
    lose_the_lease(message)
    with every_account():
        settling.expire_sending()

    conclude(message, Done(provider_id=PERSON))

    message.refresh_from_db()
    assert (message.state, message.provider_id) == ("sent", PERSON)


def claimed_for(message: Message) -> Message:
    found = claimed()
    assert found == message
    return found


def test_one_that_was_cancelled_meanwhile_is_not_asked_for(worked, step, unipile, enrolment):
    step("linkedin_invitation", worked)
    message = claimed()
    stop(Enrolment.objects.filter(pk=enrolment.pk), reason="unsubscribed")

    assert work(message) == 0

    assert posts(unipile) == []
    assert Message.objects.get().state == "cancelled"


def test_somebody_who_is_a_connection_already_is_not_invited_and_goes_on(
    worked, step, unipile, run, enrolment
):
    message = step("linkedin_invitation", worked)
    unipile.answers[INVITE] = problem(422, "already_connected")

    run()

    message.refresh_from_db()
    enrolment.refresh_from_db()
    assert (message.state, message.last_error) == ("skipped", "a connection already")
    assert enrolment.connected_at is not None
    assert events() == ["step_task.skipped", "connection.accepted"]
    assert used() == 0


def test_a_step_that_lacks_a_word_holds_its_contact(worked, step, unipile, run, enrolment):
    enrolment.contact.first_name = ""
    enrolment.contact.save()
    step("linkedin_invitation", worked)

    run()

    enrolment.refresh_from_db()
    assert enrolment.state == "held"
    assert enrolment.reason.startswith("First_name is missing or blank")
    assert unipile.asked == []


def test_over_the_day_s_limit_it_waits_until_tomorrow(account, worked, step, unipile, run, campaign):
    LinkedInAccount.objects.update(daily_limit=2)
    for number in range(3):
        contact = ContactFactory(account=account, linkedin_url=f"https://www.linkedin.com/in/c{number}")
        place = EnrolmentFactory(account=account, campaign=campaign, contact=contact, state="in_flight")
        step("linkedin_invitation", worked, enrolment=place)

    assert run() == 2

    left = Message.objects.get(state="queued")
    assert left.last_error == "over the daily limit"
    assert left.due_at.hour == 0
    assert left.due_at > timezone.now()
    assert used() == 2


def test_over_the_limit_it_waits_for_the_hours_on_the_contact_s_own_clock(worked, step, run, campaign):
    every_day = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "09:00", "to": "17:00"}
    type(campaign).objects.update(window_zone="contact", windows=[every_day])
    Enrolment.objects.update(time_zone="Europe/Istanbul")  # three hours ahead all the year
    LinkedInAccount.objects.update(daily_limit=0)
    step("linkedin_invitation", worked)

    run()

    assert Message.objects.get().due_at.time() == time(6)


def test_an_answer_in_a_conversation_is_sent_though_the_day_is_used_up(worked, step, unipile, run, user):
    step("linkedin_message", worked)
    run()
    LinkedInAccount.objects.update(daily_limit=1)
    talk = Conversation.objects.get()

    send(worked, to_profile=talk.counterpart, text="Yes", by=user, conversation=talk)
    send(worked, to_profile=talk.counterpart, text="Of my own accord", by=user)

    assert run() == 1
    assert Message.objects.get(text="Yes").state == "sent"
    assert Message.objects.get(text="Of my own accord").last_error == "over the daily limit"


def test_accounts_take_turns_and_one_is_in_one_worker_s_hands(account, worked, step, enrolment, campaign):
    other = LinkedInAccountFactory(account=account, provider="unipile", provider_url=worked.provider_url)
    places = [
        EnrolmentFactory(account=account, campaign=campaign, contact=ContactFactory(account=account))
        for _ in range(2)
    ]
    step("linkedin_invitation", worked)
    step("linkedin_invitation", worked, enrolment=places[0])
    step("linkedin_invitation", other, enrolment=places[1])

    first, second, third = claimed(), claimed(), claimed()

    assert {first.linkedin_account, second.linkedin_account} == {worked, other}
    assert third is None


def test_what_no_sequence_sends_waits_for_its_owner_where_no_provider_works(by_hand, user, enrolment):
    message = send(by_hand, to_profile="linkedin.com/in/Grace-Hopper/", text=" Hello ", by=user)

    assert (message.state, message.assignee, message.text) == ("todo", user, "Hello")
    assert (message.profile_url, message.to_name) == (GRACE, "Grace Hopper")


@pytest.mark.parametrize(("profile", "text"), [("example.com/grace", "Hello"), (GRACE, "  ")])
def test_what_cannot_be_sent_is_refused_and_nothing_is_stored(by_hand, user, profile, text):
    with pytest.raises(Invalid):
        send(by_hand, to_profile=profile, text=text, by=user)

    assert Message.objects.count() == 0


def test_nothing_is_sent_outside_a_sequence_from_a_paused_account(worked, user):
    LinkedInAccount.objects.update(paused_at=timezone.now(), pause_reason="locked")

    with pytest.raises(Invalid, match="paused"):
        send(worked, to_profile=GRACE, text="Hello", by=user)
