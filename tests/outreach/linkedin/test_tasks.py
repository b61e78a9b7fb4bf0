"""Steps that people do: their words, who does them, and that each is done once."""

from __future__ import annotations

import pytest
from django.utils import timezone

from crm.models import Activity, Contact
from outreach.blocking import suppress
from outreach.linkedin import tasks
from outreach.linkedin.tasks import connected, finish, open_tasks, skip, words_of
from outreach.linkedin.words import words_of_all
from outreach.models import CapCounter, Conversation, Enrolment, Message
from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from tests.factories import ActivityTypeFactory, UserFactory
from tests.outreach.linkedin.conftest import GRACE


def events() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("name", flat=True))


def test_the_words_are_the_step_s_for_this_contact(step, by_hand):
    words = words_of(step("linkedin_message", by_hand))

    assert (words.text, words.problems) == ("Thank you, Grace. Ada", [])


def test_a_word_that_is_missing_is_a_problem_and_no_error(step, by_hand, enrolment):
    words = words_of(step("call", by_hand))

    assert words.text == ""
    assert [problem.partition(":")[0] for problem in words.problems] == ["Company is missing or blank"]


def test_an_invitation_that_is_too_long_is_a_problem(step, by_hand, campaign):
    first = campaign.steps.get(number=1)
    first.variants[0]["body"] = "a" * 301
    first.save()

    words = words_of(step("linkedin_invitation", by_hand))

    assert words.problems == ["The text has 301 characters; LinkedIn takes at most 300."]


def test_what_was_written_in_html_is_copied_as_text(step, by_hand, campaign):
    first = campaign.steps.get(number=1)
    first.variants[0]["body"] = "<p>Hello <b>{{ first_name }}</b></p>"
    first.save()

    assert words_of(step("linkedin_invitation", by_hand)).text == "Hello Grace"


def test_a_step_without_a_profile_says_so(step, by_hand):
    step("linkedin_invitation", by_hand)
    Contact.objects.update(linkedin_url="")

    words = words_of(Message.objects.get())

    assert words.problems == ["The contact has no LinkedIn profile: write its address into the contact."]


def test_a_step_that_is_gone_says_so(step, by_hand, campaign):
    message = step("task", by_hand)
    campaign.steps.all().delete()

    assert words_of(message).problems == ["The campaign no longer has this step."]


@pytest.mark.parametrize(
    ("channel", "event"),
    [
        ("linkedin_invitation", "connection.sent"),
        ("linkedin_message", "message.sent"),
        ("call", "step_task.done"),
        ("task", "step_task.done"),
    ],
)
def test_what_is_done_is_sent_now_and_its_words_stay(step, by_hand, user, bells, channel, event):
    message = step(channel, by_hand)
    text = words_of(message).text

    finish(message, by=user)

    message.refresh_from_db()
    assert (message.state, message.text, message.followed_up) == ("sent", text, False)
    assert message.sent_at == message.due_at
    assert events()[-1] == event
    assert Event.objects.last().actor_id == user.pk
    assert words_of(message).text == text


def test_what_was_really_written_is_kept(step, by_hand, user):
    message = step("linkedin_message", by_hand)

    finish(message, by=user, text="Hi!")

    assert Message.objects.get().text == "Hi!"
    talk = Conversation.objects.get()
    assert (talk.counterpart, talk.preview, talk.last_is_theirs) == (GRACE, "Hi!", False)


def test_of_two_who_press_at_once_the_second_is_told(step, by_hand, user):
    message = step("task", by_hand)
    again = Message.objects.get(pk=message.pk)
    finish(message, by=user)

    with pytest.raises(Conflict, match="done already"):
        finish(again, by=user)
    with pytest.raises(Conflict, match="done already"):
        skip(again, by=user)

    assert events() == ["step_task.done"]


def test_a_skipped_step_says_why_and_the_contact_goes_on(step, by_hand, user):
    message = step("task", by_hand)

    skip(message, by=user, reason="met in person")

    message.refresh_from_db()
    assert (message.state, message.last_error, message.sent_at) == ("skipped", "met in person", None)
    assert message.followed_up is False
    assert Event.objects.get().data["reason"] == "met in person"


def test_a_task_of_somebody_who_leaves_the_campaign_is_cancelled(step, by_hand, enrolment, user, account):
    message = step("task", by_hand)

    suppress(account.pk, enrolment.address, cause="unsubscribed", source="a test")

    message.refresh_from_db()
    assert message.state == "cancelled"
    with pytest.raises(Conflict, match="cancelled already"):
        finish(message, by=user)


def test_what_a_person_does_counts_against_the_day(step, by_hand, user):
    finish(step("linkedin_invitation", by_hand), by=user)
    finish(step("call", by_hand), by=user)

    [counter] = CapCounter.objects.all()
    assert (counter.scope, counter.used) == (f"linkedin:{by_hand.pk}", 1)


def test_a_call_is_noted_with_the_account_s_own_outcome(account, step, by_hand, user, enrolment):
    calls = ActivityTypeFactory(account=account, name="Call", kind="call")
    ActivityTypeFactory(account=account, name="Voicemail", kind="call", parent=calls)

    finish(step("call", by_hand), by=user, outcome="voicemail", text="Will try again")

    activity = Activity.objects.get()
    assert (activity.contact, activity.outcome, activity.note) == (
        enrolment.contact, "Voicemail", "Will try again",
    )  # fmt: skip
    assert Message.objects.get().outcome == "Voicemail"


def test_an_outcome_that_nobody_knows_is_refused_and_the_task_stays_open(step, by_hand, user):
    message = step("call", by_hand)

    with pytest.raises(Invalid, match="known are: reached, voicemail"):
        finish(message, by=user, outcome="abducted")

    assert list(open_tasks()) == [message]


def test_a_task_is_given_to_somebody_else(account, step, by_hand, user):
    other = UserFactory(account=account)
    message = step("task", by_hand)

    tasks.assign(message, other, by=user)

    assert list(open_tasks(other)) == [message]
    assert list(open_tasks(user)) == []
    assert events() == ["step_task.assigned"]


def test_a_task_is_not_given_to_a_stranger(step, by_hand, user, stranger):
    message = step("task", by_hand)

    with pytest.raises(Invalid):
        tasks.assign(message, stranger, by=user)

    assert Message.objects.get().assignee == user


def test_an_accepted_invitation_is_noted_once(step, by_hand, user, enrolment):
    now = timezone.now()

    assert connected(enrolment, now, by=user) is True
    assert connected(enrolment, timezone.now(), by=user) is False

    assert Enrolment.objects.get().connected_at == now
    assert events() == ["connection.accepted"]


def test_only_an_invitation_that_was_sent_can_have_been_accepted(step, by_hand, user):
    message = step("linkedin_invitation", by_hand)

    with pytest.raises(Invalid, match="mark it as done first"):
        tasks.accepted(message, timezone.now(), by=user)
    finish(message, by=user)
    tasks.accepted(message, timezone.now(), by=user)

    assert Enrolment.objects.get().connected_at is not None


def test_words_of_many_cost_as_many_queries_as_words_of_one(
    step, by_hand, django_assert_num_queries, account, campaign
):
    for channel in ("linkedin_invitation", "linkedin_message", "task"):
        step(channel, by_hand)
    rows = list(open_tasks())

    with django_assert_num_queries(1):
        found = words_of_all(rows)

    assert len(found) == 3
