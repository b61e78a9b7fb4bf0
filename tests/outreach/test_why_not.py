"""Why a contact gets nothing now: each code by the smallest situation that gives it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from outreach.blocking import block, suppress
from outreach.foresight import CODES, why_not
from outreach.models import Campaign, CapCounter, Enrolment, Fence, Message
from tests.factories import (
    CampaignFactory,
    ContactFactory,
    EnrolmentFactory,
    LinkedInAccountFactory,
    MailboxFactory,
    MessageFactory,
    SequenceStepFactory,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)
TODAY, MIDNIGHT = date(2026, 3, 4), datetime(2026, 3, 5, tzinfo=UTC)


class Situation:
    """A running campaign with one mailbox and one contact that waits since an hour."""

    def __init__(self, account) -> None:
        self.account = account
        self.mailbox = MailboxFactory(account=account, email="ann@example.com")
        self.campaign = CampaignFactory(account=account, status="STARTED")
        self.campaign.mailboxes.add(self.mailbox)
        self.step = SequenceStepFactory(account=account, campaign=self.campaign)
        self.contact = ContactFactory(account=account)
        self.place = EnrolmentFactory(
            account=account,
            campaign=self.campaign,
            contact=self.contact,
            address="bo@example.org",
            due_at=NOON - HOUR,
        )

    def set(self, row, **values) -> None:
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))

    def message(self, state: str, **given) -> Message:
        self.set(self.place, state="in_flight")
        values = {"mailbox": self.mailbox, "due_at": NOON} | given
        return MessageFactory(account=self.account, enrolment=self.place, state=state, **values)

    def use(self, scope: str, used: int) -> None:
        CapCounter.objects.create(scope=scope, day=TODAY, used=used)

    def by_linkedin(self, **given):
        self.set(self.step, channel="linkedin_message")
        profile = LinkedInAccountFactory(account=self.account, name="Cy", **given)
        self.campaign.linkedin_accounts.add(profile)
        return profile

    def reasons(self) -> list[tuple]:
        campaign = Campaign.objects.get(pk=self.campaign.pk)
        return [(one.code, one.until) for one in why_not(self.contact, campaign, now=NOON)]


@pytest.fixture
def situation(account) -> Situation:
    return Situation(account)


def leave(s: Situation, reason: str) -> None:
    s.set(s.place, state="stopped", reason=reason)


def other_goes_first(s: Situation) -> None:
    s.set(s.mailbox, gap_seconds=3600)
    EnrolmentFactory(account=s.account, campaign=s.campaign, due_at=NOON - 2 * HOUR)


def linkedin_is_used_up(s: Situation) -> None:
    profile = s.by_linkedin(daily_limit=1)
    s.use(f"linkedin:{profile.pk}", 1)


def linkedin_pauses(s: Situation) -> None:
    profile = s.by_linkedin(provider="unipile", paused_at=NOON, pause_reason="logged out")
    s.message("queued", mailbox=None, from_address="Cy", linkedin_account=profile, channel="linkedin_message")


SITUATIONS = {
    "contact_deleted": lambda s: s.set(s.contact, deleted_at=NOON),
    "unsubscribed": lambda s: leave(s, "unsubscribed"),
    "bounced": lambda s: leave(s, "bounced: 550 5.1.1 no such user"),
    "complained": lambda s: leave(s, "complained"),
    "blocked": lambda s: leave(s, "blocked"),
    "not_in_campaign": lambda s: s.place.delete(),
    "replied": lambda s: leave(s, "replied"),
    "stopped": lambda s: leave(s, "removed"),
    "finished": lambda s: s.set(s.place, state="finished"),
    "account_suspended": lambda s: s.set(s.account, suspended_at=NOON),
    "sending_held": lambda s: Fence.objects.create(pk=1, installation="x", held_at=NOON, reason="a copy"),
    "campaign_draft": lambda s: s.set(s.campaign, status="DRAFT"),
    "campaign_paused": lambda s: s.set(s.campaign, status="PAUSED"),
    "campaign_finished": lambda s: s.set(s.campaign, status="FINISHED"),
    "campaign_ended": lambda s: s.set(s.campaign, ends_on=TODAY - timedelta(days=1)),
    "contact_paused": lambda s: s.set(s.place, state="paused"),
    "held": lambda s: s.set(s.place, state="held", reason="first_name is missing"),
    "to_settle": lambda s: s.message("ambiguous"),
    "todo_open": lambda s: s.message("todo", mailbox=None, from_address="", channel="call"),
    "in_flight": lambda s: s.message("sending"),
    "no_step": lambda s: s.step.delete(),
    "no_mailbox": lambda s: s.campaign.mailboxes.clear(),
    "mailbox_paused": lambda s: s.set(s.mailbox, paused_at=NOON),
    "no_linkedin_account": lambda s: s.set(s.step, channel="linkedin_message"),
    "linkedin_paused": lambda s: s.by_linkedin(paused_at=NOON, pause_reason="on holiday"),
    "no_address": lambda s: s.set(s.place, address=""),
}
LAPSING = {
    "not_due": (lambda s: s.set(s.place, due_at=NOON + HOUR), NOON + HOUR),
    "outside_window": (
        lambda s: s.set(s.campaign, windows=[{"days": ["wed"], "from": "14:00", "to": "15:00"}]),
        NOON + 2 * HOUR,
    ),
    "campaign_cap": (
        lambda s: (s.set(s.campaign, daily_limit=1), s.use(f"campaign:{s.campaign.pk}", 1)),
        MIDNIGHT,
    ),
    "account_cap": (
        lambda s: (s.set(s.account, settings={"mails_a_day": 1}), s.use(f"account:{s.account.pk}", 1)),
        MIDNIGHT,
    ),
    "domain_cap": (
        lambda s: (
            s.set(s.account, settings={"mails_per_domain_a_day": 1}),
            s.use(f"domain:{s.account.pk}:example.org", 1),
        ),
        MIDNIGHT,
    ),
    "mailbox_cap": (
        lambda s: (s.set(s.mailbox, daily_limit=1), s.use(f"mailbox:{s.mailbox.pk}", 1)),
        MIDNIGHT,
    ),
    "linkedin_cap": (linkedin_is_used_up, MIDNIGHT),
    "mailbox_gap": (other_goes_first, NOON + HOUR),
    "planned": (lambda s: None, NOON),
}


@pytest.mark.parametrize("code", SITUATIONS)
def test_a_situation_that_lasts_gives_its_code_alone(situation, code):
    SITUATIONS[code](situation)

    assert situation.reasons() == [(code, None)]


@pytest.mark.parametrize("code", LAPSING)
def test_a_situation_that_passes_gives_its_code_and_when(situation, code):
    arrange, until = LAPSING[code]
    arrange(situation)

    assert situation.reasons() == [(code, until)]


def test_whoever_stands_behind_more_than_go_today_is_told_so(situation, account):
    situation.set(situation.mailbox, daily_limit=2)
    EnrolmentFactory.create_batch(2, account=account, campaign=situation.campaign, due_at=NOON - 2 * HOUR)

    assert situation.reasons() == [("mailbox_cap", MIDNIGHT)]


def test_a_holiday_is_no_working_day(situation):
    situation.set(situation.campaign, holidays="FR")
    on_may_day = datetime(2026, 5, 1, 12, tzinfo=UTC)

    (reason,) = why_not(situation.contact, Campaign.objects.get(), now=on_may_day)

    assert reason == ("holiday", "it is a public holiday (FR)", datetime(2026, 5, 2, tzinfo=UTC))


def test_somebody_away_is_waited_for(situation):
    back = NOON + timedelta(days=3)
    situation.set(situation.place, parked_until=back, due_at=back)

    assert situation.reasons() == [("out_of_office", back), ("not_due", back)]


def test_a_step_for_whoever_clicked_is_not_for_the_others(situation):
    situation.set(situation.step, condition="clicked")

    assert situation.reasons() == [("condition", NOON)]


def test_a_condition_that_is_fulfilled_holds_nobody(situation):
    situation.set(situation.step, condition="clicked")
    situation.set(situation.place, clicked_at=NOON)

    assert situation.reasons() == [("planned", NOON)]


def test_what_a_paused_linkedin_account_has_queued_waits_for_it(situation):
    linkedin_pauses(situation)

    assert situation.reasons() == [("in_flight", NOON), ("linkedin_paused", None)]


def test_what_is_queued_says_when(situation):
    situation.message("queued", due_at=NOON + timedelta(minutes=5))

    assert situation.reasons() == [("in_flight", NOON + timedelta(minutes=5))]


def test_every_reason_is_given_the_most_decisive_first(situation):
    situation.set(situation.campaign, status="PAUSED", daily_limit=1, windows=[
        {"days": ["wed"], "from": "14:00", "to": "15:00"}
    ])  # fmt: skip
    situation.use(f"campaign:{situation.campaign.pk}", 1)
    situation.set(situation.mailbox, daily_limit=1)
    situation.use(f"mailbox:{situation.mailbox.pk}", 1)
    situation.set(situation.place, due_at=NOON + HOUR)

    assert [code for code, _ in situation.reasons()] == [
        "campaign_paused",
        "not_due",
        "outside_window",
        "campaign_cap",
        "mailbox_cap",
    ]


def test_a_no_of_the_address_counts_even_before_the_contact_is_stopped(situation, account):
    Enrolment.objects.all().delete()
    suppress(account.pk, situation.contact.email, cause="complained", source="test")

    assert [code for code, _ in situation.reasons()] == ["complained", "not_in_campaign"]


def test_a_blocked_domain_is_named(situation, account, user):
    block(account, by=user, value="example.org")
    situation.set(situation.place, state="waiting")

    (reason,) = why_not(situation.contact, Campaign.objects.get(), now=NOON)

    assert reason == ("blocked", "example.org is on the blocklist", None)


def test_every_code_has_its_situation():
    here = {"holiday", "out_of_office", "condition"}

    assert SITUATIONS.keys() | LAPSING.keys() | here == CODES.keys()


def test_asking_changes_nothing(situation):
    before = timezone.now()

    situation.reasons()

    assert not Message.objects.exists()
    assert not Enrolment.objects.filter(updated_at__gte=before).exists()
