"""The whole ledger checked again, offline: what the sending code promises must be true of the rows.

Each check yields what breaks it, read row by row or found by the database, in constant memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from tempfile import NamedTemporaryFile

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from outreach.models import Message
from pipelime.events.models import Event

CHUNK = 1000
SENT_OR_DOUBTFUL = (Message.State.SENT, Message.State.AMBIGUOUS, Message.State.SENDING)
UNSENT = (Message.State.QUEUED, Message.State.CLAIMED, Message.State.CANCELLED)
MARGIN = timedelta(days=1)  # events about to be pruned


@dataclass(frozen=True, slots=True)
class Offence:
    check: str
    sentence: str


Check = Callable[[QuerySet[Message]], Iterator[str]]


def offences(rows: QuerySet[Message]) -> Iterator[Offence]:
    """Of all checks, over these messages."""
    for check in CHECKS:
        for sentence in check(rows):
            yield Offence(check.__name__.replace("_", " "), sentence)


def message_ids_are_unique(rows: QuerySet[Message]) -> Iterator[str]:
    twice = rows.values("message_id").annotate(times=Count("pk")).filter(times__gt=1).order_by()
    for found in twice.iterator(CHUNK):
        yield f"{found['message_id']} stands in {found['times']} rows"


def each_step_is_taken_once(rows: QuerySet[Message]) -> Iterator[str]:
    """By enrolment, and by campaign and contact, which are still known when the enrolment is deleted."""
    taken = rows.exclude(state=Message.State.CANCELLED).filter(frozen__isnull=True, step_number__gt=0)
    for names in (("enrolment_id", "step_number"), ("campaign_id", "contact_uid", "step_number")):
        known = taken.filter(**{f"{name}__isnull": False for name in names})
        twice = known.values(*names).annotate(times=Count("pk")).filter(times__gt=1).order_by()
        for found in twice.iterator(CHUNK):
            what = ", ".join(f"{name} {found[name]}" for name in names)
            yield f"{what}: {found['times']} messages that are not cancelled"


def sent_mails_have_one_event(rows: QuerySet[Message]) -> Iterator[str]:
    """None is allowed only where a person or evidence has settled that it arrived."""
    since = timezone.now() - settings.EVENT_RETENTION + MARGIN
    sent = rows.filter(state=Message.State.SENT, channel=Message.Channel.EMAIL, sent_at__gte=since)
    told = told_as_sent().values("subject_id").annotate(times=Count("pk")).values("times")
    for message in sent.annotate(times=told).order_by("pk").iterator(CHUNK):
        times = message.times or 0
        if times > 1 or (times == 0 and message.settled_at is None):
            yield f"{named(message)} is sent and has {times} message.sent events"


def what_is_unsent_was_never_sent(rows: QuerySet[Message]) -> Iterator[str]:
    """Only a message that somebody had sent again may have been sent before."""
    unsent = rows.filter(state__in=(*UNSENT, Message.State.FAILED), settled_at=None)
    for message in unsent.filter(Q(sent_at__isnull=False) | Exists(told_as_sent())).order_by("pk"):
        yield f"{named(message)} is {message.state}, but was sent once"


def states_agree_with_their_moments(rows: QuerySet[Message]) -> Iterator[str]:
    held = Q(state__in=(Message.State.CLAIMED, Message.State.SENDING))
    faults = (
        (held & Q(lease_until=None), "has no lease"),
        (~held & Q(lease_until__isnull=False), "still has a lease"),
        (Q(state=Message.State.SENT, sent_at=None), "has no moment of sending"),
        (Q(state__in=SENT_OR_DOUBTFUL, fence=0) & email_claimed_by_workers(), "was never claimed"),
    )
    for fault, words in faults:
        for message in rows.filter(fault).order_by("pk").iterator(CHUNK):
            yield f"{named(message)} is {message.state} and {words}"


def email_claimed_by_workers() -> Q:
    return Q(channel=Message.Channel.EMAIL)


def told_as_sent() -> QuerySet[Event]:
    return Event.objects.filter(
        name="message.sent", subject_type="message", subject_id=OuterRef("pk")
    ).order_by()


def named(message: Message) -> str:
    return f"message {message.pk} ({message.message_id}) to {message.to_address}"


CHECKS: tuple[Check, ...] = (
    message_ids_are_unique,
    each_step_is_taken_once,
    sent_mails_have_one_event,
    what_is_unsent_was_never_sent,
    states_agree_with_their_moments,
)


def received_faults(lines: Iterable[str], rows: QuerySet[Message]) -> Iterator[str]:
    """What a mail server says it received, as Message-IDs: none twice, each known as sent."""
    with NamedTemporaryFile(prefix="pipelime-received-") as file, sqlite3.connect(file.name) as seen:
        seen.execute("CREATE TABLE received (id TEXT PRIMARY KEY) WITHOUT ROWID")
        ids = (line.strip() for line in lines if line.strip())
        while chunk := list(islice(ids, CHUNK)):
            known = states_of(chunk, rows)
            for message_id in chunk:
                if not seen.execute("INSERT OR IGNORE INTO received VALUES (?)", [message_id]).rowcount:
                    yield f"{message_id} was received twice"
                elif fault := fault_of_receipt(known.get(message_id)):
                    yield f"{message_id} was received, but {fault}"


def states_of(message_ids: list[str], rows: QuerySet[Message]) -> dict[str, tuple[str, bool]]:
    found = rows.filter(message_id__in=message_ids).values_list("message_id", "state", "settled_at")
    return {message_id: (state, settled is not None) for message_id, state, settled in found}


def fault_of_receipt(known: tuple[str, bool] | None) -> str:
    if known is None:
        return "is in no row"
    state, settled = known
    return "" if settled or state in SENT_OR_DOUBTFUL else f"its row is {state}"
