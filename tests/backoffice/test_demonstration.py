"""The demo: an account that shows all of outreach before anybody has done anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from crm.opening import open_account
from outreach.linkedin.tasks import open_tasks
from outreach.models import Campaign, Conversation, Incoming, Message
from pipelime.backoffice.demonstration import fill
from pipelime.scope import account_scope


@pytest.fixture
def introduction(db, settings) -> Iterator[Campaign]:
    settings.SINK_PORT = 2525
    opened = open_account("Limetree", email="lena@limetree.example", password="correct horse battery")
    with account_scope(opened.account):
        fill(opened.account, by=opened.user)
        yield Campaign.objects.get(name="Introduction for operations teams")


def test_its_campaign_shows_every_channel_and_everything_that_comes_back(introduction):
    messages = Message.objects.filter(campaign=introduction)
    sent = messages.filter(state="sent")
    meeting = Conversation.objects.get(intent="meeting")

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
    assert meeting.messages.get().state == "sent"
