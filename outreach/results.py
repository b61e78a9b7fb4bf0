"""What came of a campaign's messages: in all, and by step, variant, sender and day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Coalesce, TruncDate

from outreach.comparing import Share, share, verdict
from outreach.models import Campaign, Message
from outreach.windows import zone_named

SENT = Q(state=Message.State.SENT)
RETURNED = Q(bounced_at__isnull=False)  # by a notice later, or by the server's refusal at once
COUNTS = {
    "sent": SENT,
    "delivered": SENT & ~RETURNED,
    "bounced": RETURNED,
    "replied": Q(replied_at__isnull=False),
    "out_of_office": Q(away_at__isnull=False),
    "unsubscribed": Q(unsubscribed_at__isnull=False),
    "complained": Q(complained_at__isnull=False),
    "opened": Q(opened_at__isnull=False),
    "clicked": Q(clicked_at__isnull=False),
    "machine_opened": Q(machine_opened_at__isnull=False),
    "machine_clicked": Q(machine_clicked_at__isnull=False),
}
AGGREGATES = {f"n_{name}": Count("pk", filter=condition) for name, condition in COUNTS.items()}


@dataclass
class Figures:
    """Messages, and what came back of them: each counts once, however often it did."""

    sent: int = 0
    delivered: int = 0  # sent, and no bounce is known
    bounced: int = 0
    replied: int = 0
    out_of_office: int = 0
    unsubscribed: int = 0
    complained: int = 0
    opened: int = 0  # by people, as far as can be told
    clicked: int = 0
    machine_opened: int = 0
    machine_clicked: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Figures)))

    @property
    def reply_rate(self) -> Share | None:
        return share(min(self.replied, self.delivered), self.delivered)


@dataclass
class OfVariant:
    step: int
    variant: str
    figures: Figures


@dataclass
class OfStep:
    """`verdict` says which variant is better, if that can be said; "" of a step without a choice."""

    step: int
    channel: str
    figures: Figures = field(default_factory=Figures)
    variants: list[OfVariant] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        return verdict(
            {
                one.variant: (min(one.figures.replied, one.figures.delivered), one.figures.delivered)
                for one in self.variants
            }
        )


@dataclass
class OfSender:
    """A mailbox or a LinkedIn account; without an id, people who did what no account was named for."""

    id: UUID | None
    name: str
    figures: Figures


@dataclass
class OfDay:
    day: date
    figures: Figures


@dataclass
class Results:
    """`days` are those of sending, in the campaign's time zone; an answer counts on its message's day."""

    totals: Figures
    steps: list[OfStep]
    senders: list[OfSender]
    days: list[OfDay]

    @property
    def variants(self) -> list[OfVariant]:
        return [variant for step in self.steps for variant in step.variants]


def results_of(campaign: Campaign) -> Results:
    """Three reads of the campaign's messages, however many there are. Answers typed by hand are no step."""
    messages = Message.objects.filter(SENT | RETURNED, campaign=campaign, step_number__gte=1).order_by()
    steps = by_step(campaign, messages)
    return Results(
        totals=sum((step.figures for step in steps), Figures()),
        steps=steps,
        senders=by_sender(messages),
        days=by_day(campaign, messages),
    )


def by_step(campaign: Campaign, messages: QuerySet[Message]) -> list[OfStep]:
    """The campaign's steps as they are now, and those that were sent before it was written anew."""
    own = list(campaign.steps.all())
    steps = {step.number: OfStep(step.number, step.channel) for step in own}
    counted = {(step.number, variant["key"]): Figures() for step in own for variant in step.variants}
    rows = grouped(messages.values("step_number", "variant").annotate(via=Max("channel")))
    for row, figures in rows:
        counted[row["step_number"], row["variant"]] = figures
        steps.setdefault(row["step_number"], OfStep(row["step_number"], row["via"]))
    for (number, key), figures in sorted(counted.items()):
        steps[number].figures += figures
        steps[number].variants.append(OfVariant(number, key, figures))
    return sorted(steps.values(), key=lambda step: step.step)


def by_sender(messages: QuerySet[Message]) -> list[OfSender]:
    columns = ("mailbox__uid", "mailbox__email", "linkedin_account__uid", "linkedin_account__name")
    found = [
        OfSender(
            row["mailbox__uid"] or row["linkedin_account__uid"],
            row["mailbox__email"] or row["linkedin_account__name"] or "",
            figures,
        )
        for row, figures in grouped(messages.values(*columns))
    ]
    return sorted(found, key=lambda one: (one.id is None, one.name))


def by_day(campaign: Campaign, messages: QuerySet[Message]) -> list[OfDay]:
    moment = Coalesce("sent_at", "due_at")  # what was refused at once was never sent
    day = TruncDate(moment, tzinfo=zone_named(campaign.time_zone))
    return [OfDay(row["day"], figures) for row, figures in grouped(messages.values(day=day).order_by("day"))]


def grouped(rows: Any) -> Iterable[tuple[dict[str, Any], Figures]]:
    for row in rows.annotate(**AGGREGATES):
        yield row, Figures(**{name: row.pop(f"n_{name}") for name in COUNTS})
