"""A campaign on a virtual clock: chance is seeded, the plan is the engine's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from outreach.foresight import Rates, plan_of, simulate
from outreach.models import Campaign, Enrolment, Message
from pipelime.events.models import Event
from tests.factories import (
    CampaignFactory,
    EnrolmentFactory,
    LinkedInAccountFactory,
    MailboxFactory,
    SequenceStepFactory,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
TWO_WEEKS = NOON + timedelta(days=14)
QUIET = Rates(bounce=0, reply=0, absence=0, acceptance=0, task_hours=0)


@pytest.fixture
def campaign(account) -> Campaign:
    campaign = CampaignFactory(account=account, status="STARTED")
    campaign.mailboxes.add(MailboxFactory(account=account, daily_limit=5))
    SequenceStepFactory(account=account, campaign=campaign, number=1)
    SequenceStepFactory(account=account, campaign=campaign, number=2, delay_days=2)
    EnrolmentFactory.create_batch(12, account=account, campaign=campaign, due_at=NOON)
    return campaign


def played(campaign: Campaign, seed: int = 7, **rates) -> list[tuple]:
    given = {name: getattr(QUIET, name) for name in vars(QUIET)} | rates
    outcome = simulate(campaign, now=NOON, until=TWO_WEEKS, seed=seed, rates=Rates(**given))
    return [(f"{day:%m-%d}", dict(counts)) for day, counts in outcome.days.items()]


def test_without_chance_it_is_the_plan(campaign):
    planned: dict[str, int] = {}
    for row in plan_of(campaign, until=TWO_WEEKS, now=NOON).rows:
        planned[f"{row.at:%m-%d}"] = planned.get(f"{row.at:%m-%d}", 0) + 1

    days = played(campaign)

    assert {day: counts["mails"] for day, counts in days} == planned
    assert planned == {"03-04": 5, "03-05": 5, "03-06": 5, "03-07": 5, "03-08": 4}


def test_it_says_when_the_last_contact_is_done(campaign):
    outcome = simulate(campaign, now=NOON, until=TWO_WEEKS, seed=1, rates=QUIET)
    cut_short = simulate(campaign, now=NOON, until=NOON + timedelta(days=1), seed=1, rates=QUIET)

    assert (outcome.contacts, outcome.left, outcome.ends_on) == (12, 0, date(2026, 3, 8))
    assert (cut_short.contacts, cut_short.left, cut_short.ends_on) == (12, 12, None)


def test_the_same_seed_plays_the_same_and_another_another(campaign):
    def chances(seed: int) -> list[tuple]:
        return played(campaign, seed, reply=0.3, bounce=0.1, absence=0.1)

    assert chances(7) == chances(7)
    assert chances(7) != chances(8)


def test_whoever_bounces_gets_nothing_more(campaign):
    assert sum(counts.get("mails", 0) for _, counts in played(campaign, bounce=1)) == 12


def test_whoever_replies_gets_nothing_more_unless_the_campaign_goes_on(campaign):
    def mails() -> int:
        days = played(campaign, reply=1)
        assert sum(counts.get("replied", 0) for _, counts in days) == 12
        return sum(counts.get("mails", 0) for _, counts in days)

    assert mails() < 24
    Campaign.objects.update(stop_on_reply=False)
    assert mails() == 24


def test_somebody_away_hears_of_us_a_week_later(campaign):
    days = played(campaign, absence=1)

    assert [day for day, counts in days if counts.get("mails")] == [
        "03-04", "03-05", "03-06", "03-11", "03-12", "03-13",
    ]  # fmt: skip


def test_a_step_for_replies_is_for_those_who_replied(campaign, account):
    Campaign.objects.update(stop_on_reply=False)
    SequenceStepFactory(
        account=account, campaign=campaign, number=3, channel="call", condition="replied", delay_days=5
    )

    assert sum(counts.get("by_hand", 0) for _, counts in played(campaign)) == 0
    assert sum(counts.get("by_hand", 0) for _, counts in played(campaign, reply=1)) == 12


def test_invitations_are_accepted(account):
    campaign = CampaignFactory(account=account, status="STARTED")
    campaign.linkedin_accounts.add(LinkedInAccountFactory(account=account, provider="unipile"))
    SequenceStepFactory(account=account, campaign=campaign, number=1, channel="linkedin_invitation")
    SequenceStepFactory(
        account=account,
        campaign=campaign,
        number=2,
        channel="linkedin_message",
        condition="connected",
        delay_days=4,
    )
    EnrolmentFactory(account=account, campaign=campaign, due_at=NOON)

    def linkedin(**rates) -> int:
        return sum(counts.get("linkedin", 0) for _, counts in played(campaign, **rates))

    assert linkedin(acceptance=1) == 2
    assert linkedin(acceptance=0) == 1


def test_a_simulation_changes_nothing(campaign):
    before = list(Enrolment.objects.order_by("pk").values())

    played(campaign, reply=0.5)

    assert list(Enrolment.objects.order_by("pk").values()) == before
    assert not Message.objects.exists()
    assert not Event.objects.exists()


def test_the_command_prints_a_table_and_the_same_bytes_for_the_same_seed(campaign):
    def printed(*more: str) -> str:
        out = StringIO()
        days = ["--from", "2026-03-05", "--until", "2026-03-12", "--seed", "7"]
        call_command("simulate_campaign", str(campaign.pk), *days, *more, stdout=out)
        return out.getvalue()

    quiet = ["--reply-rate", "0", "--bounce-rate", "0", "--absence-rate", "0"]

    assert printed() == printed()
    assert printed(*quiet).splitlines() == [
        f"{campaign.name}, seed 7: 12 contacts under way on 2026-03-05",
        "day            mails  linkedin   by hand   replied   bounced    absent  accepted   through",
        "2026-03-05         5         0         0         0         0         0         0         0",
        "2026-03-06         5         0         0         0         0         0         0         0",
        "2026-03-07         5         0         0         0         0         0         0         5",
        "2026-03-08         5         0         0         0         0         0         0         5",
        "2026-03-09         2         0         0         0         0         0         0         0",
        "2026-03-11         2         0         0         0         0         0         0         2",
        "total             24         0         0         0         0         0         0        12",
        "Nobody is left after 2026-03-11.",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["0", "--until", "2026-03-12"], "There is no campaign 0"),
        (["--until", "2026-03-01", "--from", "2026-03-05"], "lies before the first day"),
        (["--until", "2026-03-12", "--reply-rate", "7"], "'7' is no share from 0 to 1"),
    ],
)
def test_the_command_refuses_in_words(campaign, arguments, words):
    given = arguments if arguments[0] == "0" else [str(campaign.pk), *arguments]

    with pytest.raises(CommandError, match=words):
        call_command("simulate_campaign", *given, stdout=StringIO())
