"""The plan of a campaign and the why-not of a contact over the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings

from outreach.foresight import CODES
from outreach.models import Campaign
from pipelime.scope import account_scope
from tests.factories import (
    CampaignFactory,
    ContactFactory,
    EnrolmentFactory,
    MailboxFactory,
    SequenceStepFactory,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("at_noon")


@pytest.fixture
def at_noon():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def mailbox(account):
    return MailboxFactory(account=account)


@pytest.fixture
def campaign(account, mailbox) -> Campaign:
    campaign = CampaignFactory(account=account, status="STARTED", time_zone="Europe/Paris")
    campaign.mailboxes.add(mailbox)
    SequenceStepFactory(account=account, campaign=campaign, number=1)
    SequenceStepFactory(account=account, campaign=campaign, number=2, channel="call", delay_days=2)
    return campaign


@pytest.fixture
def enrol(account, campaign):
    def make(**given):
        contact = ContactFactory(account=account, first_name="Bo")
        return EnrolmentFactory(
            **{"account": account, "campaign": campaign, "contact": contact, "due_at": NOON} | given
        )

    return make


def test_a_plan_says_who_gets_what_when_and_who_gets_nothing(native, campaign, enrol, mailbox):
    one, held = enrol(), enrol(state="held", reason="last_name is missing")

    answer = native.get(f"/api/campaigns/{campaign.uid}/plan")

    assert answer.status_code == 200
    assert answer.json() == {
        "data": [
            {
                "at": "2026-03-04T12:00:00Z",
                "contact_id": str(one.contact.uid),
                "step": 1,
                "channel": "email",
                "sender": {"id": str(mailbox.uid), "name": mailbox.email},
                "variant": "A",
                "subject": "Hello Bo",
            },
            {
                "at": "2026-03-06T12:00:00Z",
                "contact_id": str(one.contact.uid),
                "step": 2,
                "channel": "call",
                "sender": None,
                "variant": "A",
                "subject": "Hello Bo",
            },
        ],
        "left_out": [{"contact_id": str(held.contact.uid), "code": "held", "detail": "last_name is missing"}],
        "pagination": {"limit": 25, "next_cursor": None, "has_more": False},
    }


def test_until_is_the_last_day_in_the_campaign_s_time_zone(native, campaign, enrol):
    enrol(due_at=datetime(2026, 3, 5, 22, 59, tzinfo=UTC))  # 23:59 in Paris
    enrol(due_at=datetime(2026, 3, 5, 23, 0, tzinfo=UTC))

    plan = native.get(f"/api/campaigns/{campaign.uid}/plan?until=2026-03-05").json()

    assert [row["at"] for row in plan["data"]] == ["2026-03-05T22:59:00Z"]
    assert [one["code"] for one in plan["left_out"]] == ["not_due"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("until=soon", "until"),
        ("until=2026-03-03", "until"),
        ("until=2026-06-03", "until"),
        ("limit=0", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=W10", "cursor"),
        ("page=2", "page"),
    ],
)
def test_parameters_that_cannot_be_served_are_refused_by_name(native, campaign, query, parameter):
    answer = native.get(f"/api/campaigns/{campaign.uid}/plan?{query}")

    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]) == [parameter]


def test_the_furthest_day_is_ninety_days_ahead(native, campaign):
    assert native.get(f"/api/campaigns/{campaign.uid}/plan?until=2026-06-02").status_code == 200


def test_pages_are_of_one_plan_and_show_everything_once(native, campaign, enrol, at_noon):
    served = [enrol() for _ in range(3)]
    left = [enrol(state="paused") for _ in range(5)]
    rows, left_out, query = [], [], "?limit=2&until=2026-03-10"

    while query:
        answer = native.get(f"/api/campaigns/{campaign.uid}/plan{query}").json()
        rows += [(row["contact_id"], row["step"]) for row in answer["data"]]
        left_out += [one["contact_id"] for one in answer["left_out"]]
        cursor = answer["pagination"]["next_cursor"]
        query = f"?limit=2&cursor={cursor}" if cursor else ""
        at_noon.shift(timedelta(hours=1))

    assert sorted(rows) == sorted((str(one.contact.uid), step) for one in served for step in (1, 2))
    assert left_out == [str(one.contact.uid) for one in left]


def test_why_not_names_reasons_and_until_when(native, campaign, enrol):
    one = enrol(due_at=NOON + timedelta(days=1))

    answer = native.get(f"/api/contacts/{one.contact.uid}/why-not?campaign={campaign.uid}")

    assert answer.status_code == 200
    assert answer.json() == {
        "data": [
            {"code": "not_due", "detail": "The step's delay is not over.", "until": "2026-03-05T12:00:00Z"}
        ]
    }


def test_why_not_wants_a_campaign(native, enrol):
    answer = native.get(f"/api/contacts/{enrol().contact.uid}/why-not")

    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]) == ["campaign"]


def test_foreign_campaigns_and_contacts_look_missing(native, stranger, campaign, enrol):
    with account_scope(stranger.account):
        foreign = CampaignFactory(account=stranger.account)
        person = ContactFactory(account=stranger.account)

    assert native.get(f"/api/campaigns/{foreign.uid}/plan").status_code == 404
    assert (
        native.get(f"/api/contacts/{enrol().contact.uid}/why-not?campaign={foreign.uid}").status_code == 404
    )
    assert native.get(f"/api/contacts/{person.uid}/why-not?campaign={campaign.uid}").status_code == 404


def test_every_code_is_documented():
    text = (settings.BASE / "docs" / "api" / "README.md").read_text()

    assert [f"| `{code}` | {meaning} |" for code, meaning in CODES.items()] == [
        line for line in text.splitlines() if line.startswith("| `") and line.split("`")[1] in CODES
    ]
