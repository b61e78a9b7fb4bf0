"""Answers of ours: in the thread, at once, and not to people who want none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from outreach.claiming import claim_batch
from outreach.conversations import answering, file, make_lead, reply, timeline
from outreach.letters import frozen
from outreach.models import BlocklistEntry, EmailAccount, Message, Suppression
from outreach.sending import allowed
from pipelime.errors import Invalid, Suspended
from pipelime.events.models import Event
from pipelime.scope import every_account
from tests.factories import ConversationFactory, LinkedInAccountFactory, MessageFactory, StepFactory
from tests.outreach.conversations.conftest import NOON
from tests.threads import all_at_once

PROFILE = "https://www.linkedin.com/in/ada"


def bar(account, address: str, at, cause: str = "unsubscribed") -> None:
    hashed = answering.address_hashes(address)[0]
    Suppression.objects.create(account=account, address_hash=hashed, cause=cause, created_at=at)


def test_an_answer_is_a_mail_in_the_thread(answer, ada, mailbox, user):
    conversation = file(
        answer(subject="AW: Re: Hello", references="<first@ours.example>\n<second@ours.example>")
    )

    message = reply(conversation, by=user, text="  Gladly.\n")

    message.refresh_from_db()
    assert (message.state, message.conversation, message.mailbox) == ("queued", conversation, mailbox)
    assert (message.to_address, message.to_name) == ("ada@example.com", "Ada Lovelace")
    assert (message.contact_uid, message.created_by, message.followed_up) == (ada.uid, user, True)
    assert message.frozen == {
        "subject": "Re: Hello",
        "text": "Gladly.",
        "html": None,
        "can_leave": False,
        "references": ["<first@ours.example>", "<second@ours.example>", "<answer0@example.com>"],
    }
    letter = frozen(message, timezone.now())[1]
    assert letter.in_reply_to == "<answer0@example.com>"
    assert letter.unsubscribe_url is None


def test_history_and_the_inbox_know_of_it(answer, user, bells):
    conversation = file(answer(at=timezone.now() - timedelta(hours=1)))

    reply(conversation, by=user, text="Gladly.")

    conversation.refresh_from_db()
    assert (conversation.preview, conversation.last_is_theirs, conversation.unread) == ("Gladly.", False, 0)
    event = Event.objects.order_by("pk").last()
    assert (event.name, event.actor_name) == ("message.queued", user.name)
    assert event.data["object"]["subject"] == "Re: Hello"


def test_an_answer_goes_to_the_address_that_they_wrote_from_last(answer, user):
    file(answer())
    conversation = file(answer(from_address="ada@home.example", at=NOON + timedelta(hours=1)))

    assert reply(conversation, by=user, text="Gladly.").to_address == "ada@home.example"


def test_a_mail_without_references_is_threaded_by_what_it_answers(account, answer, mailbox, user):
    ours = MessageFactory(account=account, mailbox=mailbox, message_id="<ours@sender.example>")

    message = reply(file(answer(message=ours)), by=user, text="Gladly.")

    assert message.frozen["references"] == ["<ours@sender.example>", "<answer0@example.com>"]


def test_a_long_thread_keeps_its_beginning_and_its_end(answer, user):
    ids = [f"<{number}@example.com>" for number in range(80)]

    chain = reply(file(answer(references="\n".join(ids))), by=user, text="Gladly.").frozen["references"]

    assert chain == [ids[0], *ids[32:], "<answer0@example.com>"]
    assert len(chain) == 50


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Hello", "Re: Hello"),
        ("RE: Re[2]: AW: Hello", "Re: Hello"),
        ("Report", "Re: Report"),
        ("Hello\r\nBcc: all@example.com", "Re: Hello Bcc: all@example.com"),
        ("", "Re:"),
        ("x" * 2000, "Re: " + "x" * 896),
    ],
)
def test_the_subject_is_theirs_with_one_re(theirs, ours):
    assert answering.answer_to(theirs) == ours


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_blank_answer_is_refused(answer, user, text):
    with pytest.raises(Invalid, match="text is blank"):
        reply(file(answer()), by=user, text=text)

    assert not Message.objects.exists()


def test_a_paused_mailbox_says_what_to_do(answer, mailbox, user):
    conversation = file(answer())
    EmailAccount.objects.update(paused_at=NOON, pause_reason="the password is wrong")
    conversation.mailbox.refresh_from_db()

    with pytest.raises(Invalid, match=r"paused \(the password is wrong\); resume it to answer from it"):
        reply(conversation, by=user, text="Gladly.")


def test_a_disconnected_mailbox_cannot_answer(answer, user):
    conversation = file(answer())
    EmailAccount.objects.update(deleted_at=NOON)
    conversation.mailbox.refresh_from_db()

    with pytest.raises(Invalid, match="is disconnected; connect it again"):
        reply(conversation, by=user, text="Gladly.")


def test_a_suspended_account_sends_nothing(answer, account, user):
    conversation = file(answer())
    account.suspended_at = NOON
    account.save()
    conversation.account.refresh_from_db()

    with pytest.raises(Suspended):
        reply(conversation, by=user, text="Gladly.")


def test_who_said_no_after_writing_gets_no_answer(account, answer, user):
    conversation = file(answer(at=NOON))
    bar(account, "ADA@example.com", NOON + timedelta(minutes=1))

    with pytest.raises(Invalid, match="has unsubscribed, and has not written to you since") as refusal:
        reply(conversation, by=user, text="Gladly.")

    assert refusal.value.rule == "barred"
    assert not Message.objects.exists()


@pytest.mark.parametrize("value", ["ada@example.com", "example.com"])
def test_who_is_blocked_gets_no_answer(account, answer, user, value):
    conversation = file(answer(at=NOON))
    BlocklistEntry.objects.create(account=account, value=value, kind="email", created_at=NOON)

    with pytest.raises(Invalid, match=f"{value} is on the blocklist"):
        reply(conversation, by=user, text="Gladly.")


def test_who_writes_after_saying_no_is_answered_to_the_wire(account, answer, mailbox, user):
    bar(account, "ada@example.com", NOON - timedelta(days=1))
    reply(file(answer(at=NOON)), by=user, text="Gladly.")

    with every_account():
        batch = claim_batch(timezone.now() + timedelta(seconds=1), 10)

    assert [message.to_address for message in allowed(batch.messages)] == ["ada@example.com"]


def test_no_daily_limit_counts_an_answer(account, answer, mailbox, user):
    EmailAccount.objects.update(daily_limit=0)
    reply(file(answer()), by=user, text="Gladly.")

    with every_account():
        batch = claim_batch(timezone.now() + timedelta(seconds=1), 10)

    assert len(batch.messages) == 1


def test_an_answer_in_a_conversation_with_a_lead_is_part_of_the_lead(account, answer, user):
    StepFactory(account=account)
    conversation = file(answer())
    lead = make_lead(conversation, by=user)

    assert reply(conversation, by=user, text="Gladly.").lead == lead


@pytest.mark.parametrize(("provider", "state"), [("", "todo"), ("unipile", "queued")])
def test_an_answer_on_linkedin_is_the_provider_s_or_a_person_s(account, user, provider, state):
    sender = LinkedInAccountFactory(account=account, provider=provider, owner=user)
    conversation = ConversationFactory(
        account=account, mailbox=None, linkedin_account=sender, counterpart=PROFILE, contact=None
    )

    message = reply(conversation, by=user, text="Gladly.")

    assert (message.state, message.channel, message.text) == (state, "linkedin_message", "Gladly.")
    assert message.conversation == conversation
    assert message.profile_url == PROFILE


@pytest.mark.django_db(transaction=True)
def test_two_people_who_answer_at_once_both_do(account, answer, user):
    conversation = file(answer())
    texts = ["One", "Two"]

    all_at_once(
        [lambda text=text: reply(conversation, by=user, text=text) for text in texts], account=account
    )

    shown = [entry.text for entry in timeline(conversation, limit=10) if not entry.is_theirs]
    assert sorted(shown) == texts
