"""Plays a campaign through on a virtual clock, with answers and bounces by chance; nothing is sent."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from outreach.foresight import Rates, Simulation, simulate
from outreach.models import Campaign
from outreach.windows import zone_named
from pipelime.scope import account_scope, every_account

COLUMNS = ("mails", "linkedin", "by_hand", "replied", "bounced", "absent", "accepted", "through")
USUAL = Rates()


def share(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1
    if not 0 <= rate <= 1:
        raise ArgumentTypeError(f"{text!r} is no share from 0 to 1, such as 0.05")
    return rate


class Command(BaseCommand):
    help = "Play a campaign through on a virtual clock. The same rows, days and seed print the same bytes."

    def add_arguments(self, parser):
        parser.add_argument("id", metavar="ID", type=int, help="The campaign's number.")
        parser.add_argument(
            "--until", required=True, type=date.fromisoformat, help="The last day, YYYY-MM-DD."
        )
        parser.add_argument("--from", type=date.fromisoformat, help="The first day; else tomorrow.")
        parser.add_argument("--seed", type=int, default=1, help="Another seed is another course of chance.")
        parser.add_argument("--reply-rate", type=share, default=USUAL.reply, help="Of messages.")
        parser.add_argument("--bounce-rate", type=share, default=USUAL.bounce, help="Of mails.")
        parser.add_argument("--absence-rate", type=share, default=USUAL.absence, help="Of mails.")
        parser.add_argument("--acceptance-rate", type=share, default=USUAL.acceptance, help="Of invitations.")
        parser.add_argument(
            "--task-hours", type=float, default=USUAL.task_hours, help="On average, for a step."
        )

    def handle(self, *, id, until, seed, **options):  # noqa: A002  the argument's name
        with every_account():
            campaign = Campaign.objects.alive().filter(pk=id).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {id}")
        zone = zone_named(campaign.time_zone)
        begin = options["from"] or timezone.now().astimezone(zone).date() + timedelta(days=1)
        if until < begin:
            raise CommandError(f"--until {until} lies before the first day, {begin}")
        moments = [
            datetime.combine(day, time(), zone).astimezone(UTC) for day in (begin, until + timedelta(days=1))
        ]
        rates = Rates(
            bounce=options["bounce_rate"],
            reply=options["reply_rate"],
            absence=options["absence_rate"],
            acceptance=options["acceptance_rate"],
            task_hours=options["task_hours"],
        )
        with account_scope(campaign.account_id):
            outcome = simulate(campaign, now=moments[0], until=moments[1], seed=seed, rates=rates)
        self.stdout.write(f"{campaign.name}, seed {seed}: {outcome.contacts:,} contacts under way on {begin}")
        for line in table(outcome):
            self.stdout.write(line)
        self.stdout.write(ending(outcome, until))


def table(outcome: Simulation) -> Iterator[str]:
    """A line for each day on which something happened, and their sum."""
    yield line("day", [name.replace("_", " ") for name in COLUMNS])
    total: Counter[str] = Counter()
    for day, counts in outcome.days.items():
        yield line(str(day), [f"{counts[name]:,}" for name in COLUMNS])
        total += counts
    yield line("total", [f"{total[name]:,}" for name in COLUMNS])


def line(first: str, cells: list[str]) -> str:
    return f"{first:<10}" + "".join(f"{cell:>10}" for cell in cells)


def ending(outcome: Simulation, until: date) -> str:
    if outcome.ends_on is None:
        return f"{outcome.left:,} contacts are not through by {until}."
    return f"Nobody is left after {outcome.ends_on}."
