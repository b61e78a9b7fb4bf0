"""A campaign of the demo, told as if it had run for a week: the engine's own rounds on a clock of the past.

Everything is done by the verbs that do it every day. Only the mail server is made up, and what comes back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import cast
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone

from crm.models import Contact
from outreach import conversations
from outreach.allowances import within_caps
from outreach.campaigns import create_campaign, start_campaign
from outreach.claiming import BATCH, claim_messages, loaded
from outreach.enrolling import enrol
from outreach.incoming.taking import take_in
from outreach.linkedin import tasks
from outreach.linkedin.accounts import create_linkedin_account
from outreach.mailboxes import create_mailbox
from outreach.models import Campaign, Conversation, EmailAccount, Enrolment, Message
from outreach.planning import plan_account
from outreach.sending import converse
from outreach.smtp import Dialogue
from outreach.smtp_results import Accepted, Outcome, Unknown
from pipelime.accounts.models import Account, User
from pipelime.backoffice.demonstration_mail import absence, answer, bounce
from pipelime.backoffice.demonstration_words import ANSWERS, OUR_ANSWER, SEQUENCE

WORKDAYS = 6  # that the campaign has run when the demo begins
OPENS, ROUND, ROUNDS = 9, timedelta(minutes=15), 3  # of planning and sending, in a morning
PER_DAY = 10
WEEK = [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}]
SENDERS = (("lena@getlimetree.example", "Lena Hartley"), ("jonas@getlimetree.example", "Jonas Reed"))


def tell(account: Account, people: QuerySet[Contact], *, server: dict, by: User) -> Campaign:
    """`server` takes what the campaign sends from now on."""
    campaign, mailboxes = build(account, server, by=by)
    days = past_workdays(timezone.now().astimezone(ZoneInfo(campaign.time_zone)))
    with clock_at(days[0]):
        enrol(campaign, people, by=by)
        start_campaign(campaign, by=by)
    for number, day in enumerate(days):
        work_morning(campaign, mailboxes, day, loses_one=number == 3)
        with clock_at(day + timedelta(hours=5)):
            come_back(campaign, number)
        with clock_at(day + timedelta(hours=7)):
            do_tasks(campaign, leave=4 if number == len(days) - 1 else 0, by=by)
    answer_one(by=by)
    return campaign


def build(account: Account, server: dict, *, by: User) -> tuple[Campaign, list[EmailAccount]]:
    mailboxes = [
        create_mailbox(
            account, by=by, email=email, name=name, smtp=server, daily_limit=40, gap_seconds=240,
            gap_jitter_seconds=120, signature=f"{name}\nLimetree Works, Bristol", owner=by,
        )
        for email, name in SENDERS
    ]  # fmt: skip
    profile = create_linkedin_account(
        account, by=by, name="Lena Hartley", profile_url="https://www.linkedin.com/in/limetree-demo-lena",
        owner=by,
    )  # fmt: skip
    campaign = create_campaign(
        account, by=by, name="Introduction for operations teams", mailboxes=mailboxes, steps=SEQUENCE,
        linkedin_accounts=[profile], daily_limit=PER_DAY, schedule={"windows": WEEK},
    )  # fmt: skip
    return campaign, mailboxes


def past_workdays(now: datetime) -> list[datetime]:
    """The last ones before today, each when its morning opens."""
    morning = now.replace(hour=OPENS, minute=0, second=0, microsecond=0)
    before = (morning - timedelta(days=number) for number in range(1, 2 * WORKDAYS + 3))
    return sorted([day for day in before if day.weekday() < 5][:WORKDAYS])


@contextmanager
def clock_at(moment: datetime) -> Iterator[None]:
    """What the domain takes for the present. For a process that does nothing else meanwhile."""
    present = timezone.now
    timezone.now = lambda: moment
    try:
        yield
    finally:
        timezone.now = present


def work_morning(
    campaign: Campaign, mailboxes: list[EmailAccount], day: datetime, *, loses_one: bool
) -> None:
    """What worker and scheduler would have done."""
    server = PastServer(loses_one=loses_one)
    for number in range(ROUNDS):
        begins = day + number * ROUND
        with clock_at(begins):
            plan_account(campaign.account_id, begins)
        for minutes in (7, 14):
            now = begins + timedelta(minutes=minutes)
            with clock_at(now):
                for mailbox in mailboxes:
                    deliver(mailbox, server, now)


def deliver(mailbox: EmailAccount, server: PastServer, now: datetime) -> None:
    fences = claim_messages(mailbox.pk, now, BATCH)
    allowed = within_caps(mailbox, fences, now)
    if messages := loaded(mailbox, {pk: fences[pk] for pk in allowed}):
        converse(cast(Dialogue, server), messages, time.monotonic())


class PastServer:
    """Takes every mail; on a bad day the line was cut before its answer to the last one came."""

    is_open = True

    def __init__(self, *, loses_one: bool):
        self.loses_one = loses_one
        self.wire = SimpleNamespace(timeout=0.0)

    def send(self, sender: str, to: str, data: bytes, *, before_dot: Callable[[], bool]) -> Outcome:
        before_dot()
        if self.loses_one:
            self.loses_one = False
            return Unknown("the connection was cut after the message was handed over")
        return Accepted("250 2.0.0 queued")


def come_back(campaign: Campaign, number: int) -> None:
    """Each day somebody answers; on the first one somebody is away, and one address is unknown."""
    sent = Message.objects.filter(campaign=campaign, state="sent", channel="email", replied_at=None)
    untouched = sent.filter(step_number=1, away_at=None, bounced_at=None).select_related("mailbox")
    first, second, third = untouched.order_by("-sent_at", "pk")[:3]
    take(first, answer(first, *ANSWERS[number % len(ANSWERS)]))
    if number == 0:
        take(second, bounce(second))
    if number in (1, 4):
        take(third, absence(third, timezone.now() + timedelta(days=12)))


def take(message: Message, raw: bytes) -> None:
    assert message.mailbox is not None
    take_in(message.mailbox, raw, timezone.now())


def do_tasks(campaign: Campaign, *, leave: int, by: User) -> None:
    outcomes = tasks.outcomes_of_calls()
    due = [task for task in tasks.open_tasks() if task.campaign_id == campaign.pk]
    for number, task in enumerate(due[: len(due) - leave]):
        is_call = task.channel == Message.Channel.CALL
        tasks.finish(task, by=by, outcome=outcomes[number % len(outcomes)] if is_call else "")
        if not is_call and number % 2 == 0:
            tasks.accepted(task, timezone.now(), by=by)


def answer_one(*, by: User) -> None:
    """Whoever proposed a meeting hears from us as soon as the worker runs, and is a lead by now."""
    talk = Conversation.objects.filter(intent=Enrolment.Intent.MEETING).order_by("pk").first()
    if talk is not None:
        conversations.read(talk)
        conversations.reply(talk, by=by, text=OUR_ANSWER)
        conversations.make_lead(talk, by=by)
