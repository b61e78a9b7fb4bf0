"""What history and deliveries tell of conversations whose lead not everybody may see."""

from __future__ import annotations

import pytest

from outreach.models import Conversation
from pipelime.accounts.models import Account
from pipelime.backoffice.visibility import told_to
from pipelime.events.models import Event
from pipelime.events.recording import record
from tests.backoffice.rows import address
from tests.factories import (
    ConversationFactory,
    DeliveryFactory,
    IncomingFactory,
    LeadFactory,
    MailboxFactory,
    MessageFactory,
)
from webhooks.models import Delivery

SECRET = "Call me at the hospital"


@pytest.fixture
def talk(account, user) -> Conversation:
    """Somebody has answered, and history has their words; the conversation is nobody's lead yet."""
    account.lead_visibility = Account.Visibility.OWN
    account.save()
    mailbox = MailboxFactory(account=account)
    talk = ConversationFactory(account=account, mailbox=mailbox)
    sent = MessageFactory(account=account, mailbox=mailbox, state="sent")
    said = IncomingFactory(account=account, mailbox=mailbox, conversation=talk, message=sent, text=SECRET)
    record("message.replied", sent, by=None, reply=said.snapshot())
    record("message.auto_replied", said, by=None, reply=said.snapshot())
    record("conversation.reopened", talk, by=None)
    return talk


def test_before_it_is_a_lead_everybody_is_told(talk, seller):
    record("message.sent", MessageFactory(account=talk.account), by=None)

    assert told_to(seller, Event.objects.all()).count() == 4


def test_once_it_is_a_lead_its_words_are_for_those_who_see_the_lead(account, talk, user, seller):
    record("message.sent", MessageFactory(account=account), by=None)
    Conversation.objects.update(lead=LeadFactory(account=account, owner=user))

    assert [event.name for event in told_to(seller, Event.objects.all())] == ["message.sent"]
    assert told_to(user, Event.objects.all()).count() == 4


def test_whoever_has_the_conversation_is_told(account, talk, user, seller):
    Conversation.objects.update(lead=LeadFactory(account=account, owner=user), assignee=seller)

    assert told_to(seller, Event.objects.all()).count() == 3


@pytest.mark.parametrize(("who", "reads"), [("user", True), ("seller", False)])
def test_what_a_webhook_was_sent_is_read_by_administrators(client, account, request, who, reads):
    delivery = DeliveryFactory(account=account, body=SECRET)
    client.force_login(request.getfixturevalue(who))

    page = client.get(address(Delivery, "change", delivery.pk))

    assert (page.status_code, SECRET in page.content.decode()) == (200, reads)
