"""A thread as it is shown: both sides, in order, page by page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outreach.conversations import file, reply, timeline
from outreach.models import Conversation, Message
from tests.factories import (
    EnrolmentFactory,
    IncomingFactory,
    LinkedInAccountFactory,
    MailboxFactory,
    MessageFactory,
    SequenceStepFactory,
)
from tests.outreach.conversations.conftest import NOON

HOUR = timedelta(hours=1)
QUERIES = 8  # the conversation, its contact, mailbox and spellings, both sides, the steps


@pytest.fixture
def mailed(account, ada, mailbox):
    """A mail of a campaign that was sent to Ada."""
    step = SequenceStepFactory(account=account)
    enrolment = EnrolmentFactory(
        account=account, contact=ada, campaign=step.campaign, address="Ada@Example.com"
    )
    count = iter(range(100))

    def make(**values) -> Message:
        facts = {
            "account": account, "mailbox": mailbox, "enrolment": enrolment, "state": "sent", "sent_at": NOON,
            "subject": "Hello Ada", "step_number": 1 + next(count),
        }  # fmt: skip
        return MessageFactory(**facts | values)

    return make


def told(conversation, **values) -> list[tuple]:
    return [(entry.who, entry.text) for entry in timeline(conversation, **values)]


def test_both_sides_are_told_in_order(answer, mailed, user):
    mailed(sent_at=NOON - HOUR)
    conversation = file(answer("Tell me more."))
    reply(conversation, by=user, text="Gladly.")

    entries = timeline(conversation)

    assert [(entry.is_theirs, entry.text, entry.state) for entry in entries] == [
        (False, "Gladly.", "queued"),  # asked for today, which is before 2030
        (False, "Dear Ada", "sent"),
        (True, "Tell me more.", "reply"),
    ]
    assert [entry.who for entry in entries] == [user.name, "Sam Sender", "Ada"]


def test_a_mail_is_found_by_any_spelling_of_the_address(answer, mailed):
    mailed(to_address="ADA@example.com", contact_uid=None)
    conversation = file(answer(contact=None, message=Message.objects.get()))

    assert told(conversation) == [("Sam Sender", "Dear Ada"), ("Ada", "Tell me more.")]


def test_what_is_not_theirs_or_did_not_go_out_is_not_told(account, answer, mailed):
    mailed(state="queued", sent_at=None)
    mailed(state="failed", sent_at=None)
    mailed(mailbox=MailboxFactory(account=account))
    MessageFactory(account=account, state="sent", sent_at=NOON)
    IncomingFactory(account=account)

    assert told(file(answer())) == [("Ada", "Tell me more.")]


def test_an_answer_that_failed_is_told(answer, user):
    conversation = file(answer())
    reply(conversation, by=user, text="Gladly.")
    Message.objects.update(state="failed", last_error="no such mailbox")

    [ours] = [entry for entry in timeline(conversation) if not entry.is_theirs]

    assert (ours.state, ours.message.last_error) == ("failed", "no such mailbox")


def test_words_that_do_not_fit_any_more_are_left_out(answer, mailed):
    step = mailed().campaign.steps.get()
    step.variants = [{"key": "A", "weight": 1, "subject": "Hi", "body": "Dear {{ custom.title }}"}]
    step.save()

    assert told(file(answer())) == [("Sam Sender", ""), ("Ada", "Tell me more.")]


def test_pages_follow_one_another_without_a_gap(answer, mailed):
    for number in range(5):
        conversation = file(answer(f"Answer {number}", at=NOON + (number // 2) * HOUR))
        mailed(sent_at=NOON + (number // 2) * HOUR, text=f"Mail {number}")
    whole = timeline(conversation, limit=50)

    pages, before = [], None
    while page := timeline(conversation, limit=3, before=before):
        pages = page + pages
        before = page[0].mark

    assert len(whole) == 10
    assert [entry.mark for entry in pages] == [entry.mark for entry in whole]


def test_it_costs_as_many_queries_for_many_as_for_one(answer, mailed, django_assert_num_queries):
    file(answer())
    mailed()
    with django_assert_num_queries(QUERIES):
        timeline(Conversation.objects.get())
    for _ in range(5):
        mailed()
        file(answer())

    with django_assert_num_queries(QUERIES):
        assert len(timeline(Conversation.objects.get())) == 12


def test_a_talk_on_linkedin_is_told_by_its_contact(account, answer, ada, mailed):
    sender = LinkedInAccountFactory(account=account, name="Sam on LinkedIn")
    mailed()
    mailed(channel="linkedin_message", mailbox=None, linkedin_account=sender, text="Hi Ada",
           from_address="", to_address="")  # fmt: skip
    incoming = answer("Hi Sam", mailbox=None, linkedin_account=sender, at=NOON + HOUR,
                      from_address="https://www.linkedin.com/in/ada")  # fmt: skip

    assert told(file(incoming)) == [("Sam on LinkedIn", "Hi Ada"), ("Ada", "Hi Sam")]
