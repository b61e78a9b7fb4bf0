"""Words of strangers on the pages of outreach are words: nothing that they say is run or leads away."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from outreach.models import Campaign, Conversation
from tests.factories import (
    CampaignFactory,
    CompanyFactory,
    ContactFactory,
    ConversationFactory,
    EnrolmentFactory,
    IncomingFactory,
    LinkedInAccountFactory,
    MailboxFactory,
    MessageFactory,
    SequenceStepFactory,
)

EVIL = "\"'><img src=x onerror=alert(1)></script><script>alert(1)</script>{{ 7 }}${7}"
LINKS = "javascript:alert(1) data:text/html,x [a](javascript:alert(1)) <a href=javascript:alert(1)>x</a>"
LED_AWAY = re.compile(r"<[^<>]*(?:href|src|action)=[\"']?\s*(?:javascript|data:text)", re.IGNORECASE)
LISTS = [
    "outreach_campaign_changelist", "outreach_conversation_changelist", "outreach_conversation_list",
    "outreach_enrolment_changelist", "outreach_message_changelist", "outreach_linkedinaccount_changelist",
    "outreach_emailaccount_changelist", "outreach_todo", "events_event_changelist", "index",
]  # fmt: skip


@pytest.fixture
def talk(account, user) -> Conversation:
    """Everything in it was written by somebody who means harm."""
    contact = ContactFactory(
        account=account, first_name=EVIL, last_name=EVIL, job_title=EVIL,
        company=CompanyFactory(account=account, name=EVIL),
    )  # fmt: skip
    mailbox = MailboxFactory(account=account, name=EVIL)
    profile = LinkedInAccountFactory(account=account, name=EVIL[:100], owner=user)
    campaign = CampaignFactory(account=account, name=EVIL, status="STARTED")
    campaign.mailboxes.add(mailbox)
    variants = [
        {"key": "A", "weight": 1, "subject": EVIL.replace("{{ 7 }}", ""), "body": "Dear {{ first_name }}"}
    ]
    SequenceStepFactory(account=account, campaign=campaign, number=1, variants=variants)
    place = EnrolmentFactory(
        account=account,
        campaign=campaign,
        contact=contact,
        mailbox=mailbox,
        due_at=timezone.now(),
        reason=EVIL,
    )
    facts = {"account": account, "enrolment": place, "subject": EVIL, "to_name": EVIL}
    sent = MessageFactory(**facts, mailbox=mailbox, state="sent", sent_at=timezone.now(), last_error=EVIL)
    MessageFactory(
        **facts, mailbox=None, from_address="", channel="task", state="todo", step_number=2, assignee=user,
        text=EVIL, linkedin_account=profile,
    )  # fmt: skip
    talk = ConversationFactory(
        account=account, mailbox=mailbox, contact=contact, name=EVIL, subject=EVIL, preview=EVIL[:100]
    )
    IncomingFactory(
        account=account, mailbox=mailbox, conversation=talk, message=sent, from_name=EVIL, subject=EVIL,
        text=f"{EVIL}\n{LINKS}", whole_text=f"{EVIL}\n{LINKS}",
    )  # fmt: skip
    return talk


def addresses(talk: Conversation) -> list[str]:
    number = Campaign.objects.get().pk
    rows = [("outreach_conversation_change", talk.pk), ("crm_contact_change", talk.contact_id)]
    rows += [(f"outreach_campaign_{page}", number) for page in ("change", "plan", "stats")]
    lists = [reverse(f"admin:{name}") for name in LISTS]
    return [*lists, *(reverse(f"admin:{name}", args=[pk]) for name, pk in rows)]


def test_nothing_that_a_stranger_wrote_is_run(browser, talk):
    pages = {path: browser.get(path) for path in addresses(talk)}

    assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(pages, 200)
    texts = {path: page.content.decode() for path, page in pages.items()}
    assert [path for path, text in texts.items() if "<img src=x" in text] == []
    assert [path for path, text in texts.items() if "<script>alert" in text] == []
    assert [path for path, text in texts.items() if LED_AWAY.search(text)] == []
    shown = [path for path, text in texts.items() if "&lt;img src=x" in text]
    assert len(shown) > len(texts) / 2  # the words were there to be run
