"""Opens and clicks: noted as they come, judged once it can be seen whether they came in a burst.

Programs fetch images and follow links, too, and the burst is what tells them from people. Who came is kept
neither by address nor by program. Nothing ever follows from an open.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from outreach.models import Enrolment, Message, TrackedLink, Visit
from pipelime.events.recording import record
from pipelime.scope import account_scope, every_account

MOST_VISITS = 200  # of one message: what a reload in a loop may write
SETTLED = timedelta(seconds=30)  # by then a burst is complete
BURST, BURST_LASTS = 5, timedelta(seconds=1)
BATCH = 200  # messages judged in one go

# Said of themselves by mail proxies, scanners, previews and libraries. Apple Mail, which fetches every image
# as a mail arrives, says no more than "Mozilla/5.0".
AUTOMATIC = re.compile(
    r"Mozilla/5\.0$|bot\b|crawl|spider|scan|preview|proxy|fetch|monitor|curl|wget|python|java/|okhttp|go-http"
    r"|libwww|headless|barracuda|mimecast|proofpoint|safelinks|symantec|trendmicro|fireeye|sophos|bitdefender"
    r"|whatsapp|facebookexternalhit|slack|telegram",
    re.IGNORECASE,
)


class Verdicts(NamedTuple):
    """Ids of visits, by who they were."""

    people: set[int]
    machines: set[int]


def note(message: Message, link: TrackedLink | None, *, looks_automatic: bool) -> None:
    """A visit, to be judged later."""
    with account_scope(message.account_id):
        if Visit.objects.filter(message=message)[:MOST_VISITS].count() < MOST_VISITS:
            Visit.objects.create(
                account_id=message.account_id, message=message, link=link, looks_automatic=looks_automatic
            )


def looks_automatic(headers: Mapping[str, str]) -> bool:
    """By what a visitor says of itself; a browser that fetches ahead says so."""
    agent, purpose = headers.get("User-Agent", ""), headers.get("Sec-Purpose") or headers.get("Purpose") or ""
    ahead = (
        "prefetch" in purpose.lower() or "preview" in purpose.lower() or headers.get("X-Moz") == "prefetch"
    )
    return ahead or not agent or bool(AUTOMATIC.search(agent))


def judge(now: datetime) -> int:
    """Decide about the visits whose burst is over. Returns how many."""
    with every_account():
        ripe = Visit.objects.filter(verdict=Visit.Verdict.UNKNOWN, at__lte=now - SETTLED)
        message_ids = list(dict.fromkeys(ripe.order_by("at").values_list("message_id", flat=True)[:BATCH]))
        messages = list(Message.objects.filter(pk__in=message_ids).select_related("lead").order_by("pk"))
        visits = list(
            Visit.objects.filter(message__in=message_ids)
            .select_related("link")
            .order_by("message_id", "at", "pk")
        )
    judged = 0
    for message in messages:
        own = [visit for visit in visits if visit.message_id == message.pk]
        with account_scope(message.account_id):
            judged += judge_message(message, own, now)
    return judged


@transaction.atomic
def judge_message(message: Message, visits: Sequence[Visit], now: datetime) -> int:
    new = [visit for visit in visits if visit.verdict == "" and visit.at <= now - SETTLED]
    verdicts = told_apart(visits, message.sent_at)
    note_firsts(message, [visit for visit in new if visit.pk in verdicts.people], by_machine=False)
    note_firsts(message, [visit for visit in new if visit.pk in verdicts.machines], by_machine=True)
    for verdict, ids in (("person", verdicts.people), ("machine", verdicts.machines)):
        mine = [visit.pk for visit in new if visit.pk in ids]
        Visit.objects.filter(pk__in=mine, verdict="").update(verdict=verdict)
    return len(new)


def told_apart(visits: Sequence[Visit], sent_at: datetime | None) -> Verdicts:
    """A machine says so, comes right after the sending, or in a burst. They are one mail's, in order."""
    burst = in_bursts([visit.at for visit in visits])
    early = sent_at + timedelta(seconds=settings.TRACKING_MACHINE_SECONDS) if sent_at else None
    machines = {
        visit.pk
        for visit, is_burst in zip(visits, burst, strict=True)
        if visit.looks_automatic or is_burst or (early is not None and visit.at < early)
    }
    return Verdicts({visit.pk for visit in visits} - machines, machines)


def in_bursts(moments: Sequence[datetime]) -> list[bool]:
    """Of each of these moments, in order, whether it is one of five or more within a second."""
    found, start = [False] * len(moments), 0
    for end, moment in enumerate(moments):
        while moment - moments[start] > BURST_LASTS:
            start += 1
        if end - start + 1 >= BURST:
            found[start : end + 1] = [True] * (end - start + 1)
    return found


def note_firsts(message: Message, visits: Collection[Visit], *, by_machine: bool) -> None:
    """The first of each kind goes on record with the message; all that follow say nothing new."""
    prefix = "machine_" if by_machine else ""
    opened = next((visit for visit in visits if visit.link is None), None)
    clicked = next((visit for visit in visits if visit.link is not None), None)
    if clicked is not None and not by_machine:
        own = Enrolment.objects.filter(pk=message.enrolment_id, clicked_at=None)
        own.update(clicked_at=clicked.at)
    for name, visit in (("opened", opened), ("clicked", clicked)):
        column = f"{prefix}{name}_at"
        first = Message.objects.filter(pk=message.pk, **{column: None})
        if visit is not None and first.update(**{column: visit.at}):
            target = {"url": visit.link.url} if visit.link else {}
            record(f"message.{name}", message, by=None, by_machine=by_machine, **target)


def prune() -> dict[str, int]:
    """Housekeeping: what was judged long ago has left its mark on its message."""
    old = Visit.objects.filter(at__lt=timezone.now() - settings.VISIT_RETENTION).exclude(verdict="")
    return {"visits": old.delete()[0]}
