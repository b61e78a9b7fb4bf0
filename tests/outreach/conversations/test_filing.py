"""Which conversation an answer belongs to, and what it does there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from outreach.conversations import close, file, note_sent, read, set_intent
from outreach.models import Conversation, Incoming
from pipelime.events.models import Event
from tests.factories import (
    ContactFactory,
    EnrolmentFactory,
    LinkedInAccountFactory,
    MailboxFactory,
    MessageFactory,
)
from tests.outreach.conversations.conftest import NOON
from tests.threads import all_at_once

HOUR = timedelta(hours=1)
PROFILE = "https://www.linkedin.com/in/ada"


def test_a_first_answer_begins_a_conversation(answer, ada, mailbox):
    conversation = file(answer("Tell me\n   more, please."))

    conversation.refresh_from_db()
    assert conversation.mailbox == mailbox
    assert conversation.counterpart == "ada@example.com"
    assert conversation.contact == ada
    assert (conversation.name, conversation.subject) == ("Ada Lovelace", "Re: Hello")
    assert conversation.preview == "Tell me more, please."
    assert (conversation.last_at, conversation.last_is_theirs, conversation.unread) == (NOON, True, 1)
    assert conversation.intent == "interested"


def test_a_second_answer_goes_on_in_it(answer):
    first = file(answer("Hello"))
    second = file(answer("Anybody there?", at=NOON + HOUR, from_address="ADA@Example.COM"))

    assert second == first
    assert (second.unread, second.preview, second.last_at) == (2, "Anybody there?", NOON + HOUR)


def test_somebody_known_goes_on_in_one_conversation_from_any_address(answer):
    first = file(answer())

    assert file(answer(from_address="ada@home.example")) == first


def test_another_mailbox_has_a_conversation_of_its_own(account, answer):
    first = file(answer())

    assert file(answer(mailbox=MailboxFactory(account=account))) != first


def test_strangers_are_known_by_their_address(answer):
    first = file(answer(contact=None, from_address="Zoë@Example.com", from_name="Zoë"))
    second = file(answer(contact=None, from_address="zoe@example.com", from_name=""))

    assert first.name == "Zoë"
    assert second.name == "zoe@example.com"


def test_who_becomes_known_later_is_named_then(answer, ada):
    file(answer(contact=None))

    assert file(answer()).contact == ada
    assert Conversation.objects.get().name == "Ada Lovelace"


def test_filing_twice_changes_nothing(answer):
    incoming = answer()
    file(incoming)

    file(Incoming.objects.get(pk=incoming.pk))

    assert Conversation.objects.get().unread == 1


def test_an_answer_that_arrives_late_is_not_shown_as_the_last(answer):
    file(answer("The newest", at=NOON + HOUR))

    conversation = file(answer("The oldest", at=NOON))

    assert (conversation.preview, conversation.last_at) == ("The newest", NOON + HOUR)
    assert conversation.unread == 2


def test_an_answer_opens_what_was_closed_and_says_so(answer, user):
    close(file(answer()), by=user)

    conversation = file(answer())

    assert (conversation.closed_at, conversation.unread) == (None, 1)
    event = Event.objects.order_by("pk").last()
    assert (event.name, event.actor_name) == ("conversation.reopened", "")


@pytest.mark.parametrize("kind", ["auto_reply", "out_of_office"])
def test_a_machine_rings_no_bell(answer, user, kind):
    close(file(answer()), by=user)

    conversation = file(answer("I am interested in nothing until May", kind=kind))

    assert conversation.unread == 0
    assert conversation.closed_at is not None
    assert conversation.intent == "interested"


def test_where_only_a_machine_has_spoken_nobody_need_look(answer):
    away = file(answer("I am away until May.", kind="out_of_office"))
    before = away.closed_at

    spoken = file(answer("I am back. Tell me more."))

    assert before == NOON
    assert (spoken, spoken.closed_at, spoken.unread) == (away, None, 1)


def test_a_person_who_wants_no_more_mail_is_read_too(answer):
    conversation = file(answer("Please remove me from your list.", kind="unsubscribe"))

    assert (conversation.unread, conversation.intent) == (1, "not_interested")


def test_a_guess_reaches_the_campaign(account, answer, ada):
    enrolment = EnrolmentFactory(account=account, contact=ada)

    file(answer("Can we meet on Tuesday?", enrolment=enrolment))

    enrolment.refresh_from_db()
    assert enrolment.intent == "meeting"


def test_a_later_answer_changes_what_a_rule_said(answer):
    file(answer("Not now."))

    assert file(answer("Can we meet on Tuesday?")).intent == "meeting"


def test_what_a_person_said_stands_against_every_rule(account, answer, ada, user):
    enrolment = EnrolmentFactory(account=account, contact=ada)
    set_intent(file(answer("Hm.", enrolment=enrolment)), "wrong_person", by=user)

    conversation = file(answer("I am interested.", enrolment=enrolment))

    enrolment.refresh_from_db()
    assert conversation.intent == enrolment.intent == "wrong_person"
    assert Incoming.objects.latest("pk").intent == "interested"


def test_what_nobody_can_tell_leaves_the_intent_as_it_was(answer):
    file(answer("I am interested."))

    assert file(answer("Thanks.")).intent == "interested"


def test_an_answer_on_linkedin_has_its_own_conversation(account, answer, ada):
    sender = LinkedInAccountFactory(account=account)

    conversation = file(answer(mailbox=None, linkedin_account=sender, from_address=PROFILE, subject=""))

    assert (conversation.linkedin_account, conversation.mailbox) == (sender, None)
    assert conversation.counterpart == PROFILE


def test_reading_is_for_all_and_no_fact(answer):
    conversation = file(answer())
    facts = Event.objects.count()

    read(conversation)

    assert Conversation.objects.get().unread == 0
    assert Event.objects.count() == facts


def test_a_mail_of_ours_is_shown_where_somebody_has_answered(account, answer, ada, mailbox):
    file(answer())
    sent = MessageFactory(
        account=account, mailbox=mailbox, to_address="Ada@example.com", contact_uid=ada.uid, state="sent",
        sent_at=NOON + HOUR, subject="Hello again",
    )  # fmt: skip

    conversation = note_sent(sent)

    assert (conversation.last_at, conversation.last_is_theirs) == (NOON + HOUR, False)
    assert conversation.subject == "Hello again"


def test_a_mail_of_ours_begins_no_conversation(account, mailbox):
    assert note_sent(MessageFactory(account=account, mailbox=mailbox)) is None
    assert not Conversation.objects.exists()


def test_a_message_on_linkedin_begins_one(account):
    sender = LinkedInAccountFactory(account=account)
    contact = ContactFactory(account=account, linkedin_url=PROFILE)
    message = MessageFactory(
        account=account, mailbox=None, from_address="Sam", to_address="", linkedin_account=sender,
        channel="linkedin_message", text="Hello Ada", state="sent", sent_at=timezone.now(),
        enrolment__contact=contact,
    )  # fmt: skip

    conversation = note_sent(message)

    assert (conversation.counterpart, conversation.contact) == (PROFILE, contact)
    assert (conversation.preview, conversation.unread) == ("Hello Ada", 0)


@pytest.mark.django_db(transaction=True)
def test_two_answers_at_once_are_in_one_conversation(account, answer):
    rows = [answer("One", contact=None), answer("Two", contact=None)]

    all_at_once([lambda row=row: file(row) for row in rows], account=account)

    conversation = Conversation.objects.get()
    assert conversation.unread == 2
    assert conversation.incoming.count() == 2
