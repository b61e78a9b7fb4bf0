"""The promise: when nothing happens from outside, the engine does what the plan said, to the minute.

Random campaigns are planned whole. Then planner, claims and the SMTP dialogue run on a clock that jumps from
moment to moment, people do their tasks when they are due, and what was done is compared with the plan. The
real planner looks every few seconds; here it looks some minutes before each slot, which is when it matters,
and now and then between them, to show that nothing else happens.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from outreach import placing, scheduling
from outreach.claiming import claim_batch
from outreach.linkedin.tasks import finish
from outreach.models import Campaign, Enrolment, Message
from outreach.planning import plan_account, running_campaigns
from outreach.scheduling import Via
from outreach.sending import send_batch
from outreach.windows import via_of
from pipelime.scope import account_scope, every_account
from tests.factories import (
    AccountFactory,
    CampaignFactory,
    ContactFactory,
    EnrolmentFactory,
    LinkedInAccountFactory,
    MailboxFactory,
    SequenceStepFactory,
)

SPAN = timedelta(hours=36)
BETWEEN = timedelta(hours=4)
ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/Santiago", "Australia/Lord_Howe"])
STARTS = st.sampled_from(
    [
        datetime(2026, 3, 28, 9, tzinfo=UTC),  # the night in which Paris changes to summer time
        datetime(2026, 10, 3, 6, tzinfo=UTC),  # Lord Howe's half hour
        datetime(2026, 4, 30, 8, tzinfo=UTC),  # the day before a holiday in France
    ]
)
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CHANNELS = st.sampled_from(["email", "email", "linkedin_invitation", "linkedin_message", "call", "task"])


def maybe(values):
    return st.none() | values


@st.composite
def mailboxes(draw):
    return {
        "daily_limit": draw(st.integers(1, 6)),
        "gap_seconds": draw(st.sampled_from([0, 60, 1200])),
        "gap_jitter_seconds": draw(st.sampled_from([0, 90])),
        "time_zone": draw(ZONES),
        "ramp_up_from": draw(maybe(st.integers(1, 2))),
        "ramp_up_by": draw(st.integers(0, 2)),
    }


@st.composite
def steps(draw, number):
    return {
        "number": number,
        "channel": draw(CHANNELS),
        "delay_hours": draw(st.sampled_from([0, 0, 3, 9])),
        "delay_days": draw(st.sampled_from([0, 0, 1])) if number > 1 else 0,
        "condition": draw(st.sampled_from(["", "", "", "connected"])),
        "variants": [
            {"key": key, "weight": 1, "subject": f"Step {number}", "body": "Dear {{ first_name }}"}
            for key in ("A", "B")
        ],
    }


@st.composite
def campaigns(draw):
    opens, hours = draw(st.integers(0, 12)), draw(st.integers(4, 12))
    return {
        "time_zone": draw(ZONES),
        "windows": [{"days": EVERY_DAY, "from": f"{opens:02}:00", "to": f"{min(opens + hours, 23):02}:30"}],
        "window_zone": draw(st.sampled_from(["campaign", "mailbox", "contact"])),
        "holidays": draw(st.sampled_from(["", "FR"])),
        "priority": draw(st.sampled_from(["follow_ups", "new_contacts"])),
        "daily_limit": draw(maybe(st.integers(2, 6))),
        "steps": [draw(steps(number)) for number in range(1, draw(st.integers(2, 3)) + 1)],
    }


@st.composite
def worlds(draw):
    return {
        "start": draw(STARTS),
        "ahead": timedelta(seconds=draw(st.integers(1, 899))),
        "account": {
            "time_zone": draw(ZONES),
            "settings": {
                "mails_a_day": draw(maybe(st.integers(2, 7))),
                "mails_per_domain_a_day": draw(maybe(st.integers(1, 2))),
            },
        },
        "mailboxes": draw(st.lists(mailboxes(), min_size=1, max_size=2)),
        "linkedin_limit": draw(st.integers(1, 4)),
        "campaigns": draw(st.lists(campaigns(), min_size=1, max_size=2)),
        "contacts": draw(
            st.lists(
                st.tuples(st.sampled_from(["a", "b"]), maybe(ZONES), st.booleans(), st.integers(-60, 600)),
                min_size=3,
                max_size=7,
            )
        ),
    }


def build(world, port: int):
    account = AccountFactory(postal_address="1 Main Street", **world["account"])
    with account_scope(account):
        first_day = world["start"].date()
        boxes = [
            MailboxFactory(account=account, smtp_port=port, ramp_up_on=first_day, **values)
            for values in world["mailboxes"]
        ]
        profile = LinkedInAccountFactory(account=account, daily_limit=world["linkedin_limit"])
        for values in world["campaigns"]:
            build_campaign(account, dict(values), boxes, profile, world)
    return account


def build_campaign(account, values, boxes, profile, world) -> None:
    sequence = values.pop("steps")
    campaign = CampaignFactory(account=account, status=Campaign.Status.STARTED, seed="5e" * 16, **values)
    campaign.mailboxes.set(boxes)
    campaign.linkedin_accounts.set([profile])
    for step in sequence:
        SequenceStepFactory(account=account, campaign=campaign, **step)
    for number, (domain, zone, is_connected, minutes) in enumerate(world["contacts"]):
        address = f"p{campaign.pk}-{number}@{domain}.example"
        url = f"https://www.linkedin.com/in/p{campaign.pk}-{number}"
        EnrolmentFactory(
            account=account,
            campaign=campaign,
            contact=ContactFactory(account=account, email=address, linkedin_url=url),
            address=address,
            time_zone=zone or "",
            due_at=world["start"] + timedelta(minutes=minutes),
            connected_at=world["start"] if is_connected else None,
        )


def planned(account, start: datetime) -> list[tuple]:
    with account_scope(account), transaction.atomic():
        running = running_campaigns()
        state = placing.state_of(running, start, waiting=list(placing.waiting_of(running, start)))
    slots = scheduling.plan(state, start, start + SPAN).slots
    return sorted(
        (slot.at, slot.enrolment_id, slot.step_number, slot.via, slot.sender_id, slot.variant)
        for slot in slots
    )


def live(account, moments: list[datetime]) -> None:
    for now in moments:
        with time_machine.travel(now, tick=False):
            plan_account(account.pk, now)
            send_due(now)
            do_tasks(account, now)


def looks(expected: list[tuple], start: datetime, ahead: timedelta, zone: str) -> list[datetime]:
    """The slots, shortly before each, now and then between, and before each day of the account ends."""
    slots = [slot[0] for slot in expected]
    between = [start + number * BETWEEN for number in range(SPAN // BETWEEN)]
    midnights = [midnight(moment, zone) for moment in between]
    moments = {*slots, *(max(start, slot - ahead) for slot in slots), *between}
    return sorted(moments | {one - timedelta(seconds=1) for one in midnights if one < start + SPAN})


def midnight(moment: datetime, zone: str) -> datetime:
    day = moment.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def send_due(now: datetime) -> None:
    while True:
        with every_account():
            batch = claim_batch(now)
        if batch is None:
            return
        send_batch(batch)


def do_tasks(account, now: datetime) -> None:
    with account_scope(account):
        for task in list(Message.objects.filter(state="todo", due_at__lte=now).order_by("due_at", "pk")):
            finish(task, by=None)


def done(account, until: datetime) -> list[tuple]:
    with account_scope(account):
        rows = Message.objects.filter(state="sent", slot_at__lt=until).exclude(sent_at=None)
        assert all(row.sent_at == row.slot_at for row in rows)
        return sorted(
            (
                row.slot_at,
                row.enrolment_id,
                row.step_number,
                via_of(row.channel),
                row.mailbox_id or row.linkedin_account_id,
                row.variant,
            )
            for row in rows
        )


@pytest.mark.django_db
@settings(
    deadline=None,
    max_examples=5,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(world=worlds())
def test_the_engine_does_exactly_what_the_plan_said(world, sink):
    with transaction.atomic():
        account, start = build(world, sink.port), world["start"]
        arrived = sink.count

        expected = planned(account, start)
        live(account, looks(expected, start, world["ahead"], account.time_zone))

        assert done(account, start + SPAN) == expected
        mails = [slot for slot in expected if slot[3] is Via.MAIL]
        assert sink.count - arrived == len(mails)
        with account_scope(account):
            assert not Enrolment.objects.filter(state__in=("held", "stopped")).exists()
        transaction.set_rollback(True)
