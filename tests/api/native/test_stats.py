"""A campaign's figures over the API."""

from __future__ import annotations

from datetime import UTC, datetime

from pipelime.scope import account_scope
from tests.factories import (
    CampaignFactory,
    EnrolmentFactory,
    MailboxFactory,
    MessageFactory,
    SequenceStepFactory,
)

MORNING = datetime(2026, 3, 5, 9, tzinfo=UTC)
NOTHING = {
    "sent": 0, "delivered": 0, "bounced": 0, "replied": 0, "out_of_office": 0, "unsubscribed": 0,
    "complained": 0, "opened": {"person": 0, "machine": 0}, "clicked": {"person": 0, "machine": 0},
}  # fmt: skip


def test_a_new_campaign_has_figures_too(native, account):
    step = SequenceStepFactory(account=account)

    answer = native.get(f"/api/campaigns/{step.campaign.uid}/stats")

    assert answer.status_code == 200
    assert answer.json() == {
        "time_zone": "UTC",
        "tracks": {"opens": False, "clicks": False},
        "totals": NOTHING,
        "steps": [{"step": 1, "channel": "email", "verdict": None, **NOTHING}],
        "variants": [{"step": 1, "variant": "A", "reply_rate": None, **NOTHING}],
        "senders": [],
        "days": [],
    }


def test_people_and_machines_are_told_apart(native, account):
    campaign = CampaignFactory(account=account, track_opens=True, track_clicks=True)
    SequenceStepFactory(account=account, campaign=campaign)
    mailbox = MailboxFactory(account=account)
    for came_back in ({"opened_at": MORNING, "replied_at": MORNING}, {"machine_opened_at": MORNING}):
        enrolment = EnrolmentFactory(account=account, campaign=campaign)
        MessageFactory(
            account=account, enrolment=enrolment, mailbox=mailbox, state="sent", sent_at=MORNING, **came_back
        )

    stats = native.get(f"/api/campaigns/{campaign.uid}/stats").json()

    both = {**NOTHING, "sent": 2, "delivered": 2, "replied": 1, "opened": {"person": 1, "machine": 1}}
    assert stats["tracks"] == {"opens": True, "clicks": True}
    assert stats["totals"] == both
    assert stats["senders"] == [{"sender": {"id": str(mailbox.uid), "name": mailbox.email}, **both}]
    assert stats["days"] == [{"day": "2026-03-05", **both}]
    assert stats["variants"] == [
        {"step": 1, "variant": "A", "reply_rate": {"rate": 0.5, "low": 0.0945, "high": 0.9055}, **both}
    ]


def test_another_account_s_campaign_looks_missing(native, stranger):
    with account_scope(stranger.account):
        foreign = CampaignFactory(account=stranger.account)

    assert native.get(f"/api/campaigns/{foreign.uid}/stats").status_code == 404
