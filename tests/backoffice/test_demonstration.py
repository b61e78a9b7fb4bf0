"""The demo: an account that shows all of outreach before anybody has done anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from crm.models import Contact, Lead
from crm.opening import open_account
from outreach.linkedin.tasks import open_tasks
from outreach.models import Campaign, Conversation, Incoming, Message
from pipelime.scope import account_scope
from tests import factories


@pytest.fixture
def introduction(db, settings) -> Iterator[Campaign]:
    settings.SINK_PORT = 2525
    opened = open_account("Limetree", email="lena@limetree.example", password="correct horse battery")
    with account_scope(opened.account):
        call_command("demo", account=opened.account.slug)
        yield Campaign.objects.get(name="Introduction for operations teams")


def test_the_demo_fills_an_empty_account_with_all_that_a_campaign_may_show(introduction):
    messages = Message.objects.filter(campaign=introduction)
    sent = messages.filter(state="sent")
    meeting = Conversation.objects.get(intent="meeting")

    assert (Contact.objects.count(), Lead.objects.count()) == (201, 42)
    assert list(Campaign.objects.values_list("status", flat=True)) == ["STARTED", "STARTED"]
    assert introduction.account.postal_address.startswith("Limetree Works")
    assert set(sent.values_list("channel", flat=True)) == {"email", "linkedin_invitation", "call"}
    assert set(sent.filter(step_number=1).values_list("variant", flat=True)) == {"A", "B"}
    assert messages.filter(state="ambiguous").count() == 1
    assert open_tasks().count() == 4
    assert Counter(Incoming.objects.values_list("kind", flat=True)) == {
        "reply": 6,
        "out_of_office": 2,
        "bounce": 1,
    }
    assert set(Conversation.objects.filter(incoming__kind="reply").values_list("intent", flat=True)) == {
        "interested",
        "meeting",
        "not_now",
        "wrong_person",
        "not_interested",
        "",
    }
    assert meeting.lead is not None
    assert meeting.messages.get().state == "queued"


def test_the_demo_leaves_an_account_with_content_alone(account, user):
    factories.ContactFactory(account=account)

    with pytest.raises(CommandError, match="has content already"):
        call_command("demo", account=account.slug)

    assert Contact.objects.count() == 1


def test_the_demo_of_an_unknown_account_says_so(db):
    with pytest.raises(CommandError, match="There is no account 'nowhere'"):
        call_command("demo", account="nowhere")
