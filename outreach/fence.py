"""The restore fence: a copied database, or one that was put back to an older state, sends nothing by itself.

Two witnesses say how often this installation has beaten: a row of the database, and a file beside it. While
workers run, both go up together. Where they disagree, or where nothing has beaten for long, what the database
calls unsent may have been sent already: then all sending is held until an operator confirms.

Several machines may share one database: each has a file of its own, which follows the row.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from uuid import uuid4

import structlog
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from outreach.fence_file import Trace, read_trace, write_trace
from outreach.models import Fence, Message
from pipelime.scope import every_account

log = structlog.get_logger(__name__)

KEEP_SECONDS = 1.0  # for so long an answer is not asked for again
SLACK = 1  # beats that a database may lose in a crash, without being an older state
NEAR = timedelta(minutes=2)  # a beat of that age tells that another machine works on this database
CLOCK_SLACK = timedelta(minutes=10)
JOINING = "this machine is new to the database, and waits until it has seen another one work on it"
STRANGE = "this database is not the one that ran on this machine"


class Latest:
    """What was found a moment ago, by this process."""

    said = ""
    at = float("-inf")


_latest = Latest()
_met: dict[str, int] = {}  # installation -> its beats when this process first saw it


def is_held() -> str:
    """Why nothing may be sent now, or "". Cheap: senders ask before each batch."""
    if time.monotonic() - _latest.at > KEEP_SECONDS:
        _latest.said, _latest.at = look(timezone.now()), time.monotonic()
    return _latest.said


def forget() -> None:
    """Look anew the next time."""
    _latest.at = float("-inf")


def look(now: datetime) -> str:
    """Compare both witnesses; hold sending where they disagree, else let this machine's file follow."""
    row, trace = Fence.objects.first(), read_trace()
    if row is None:
        return "" if trace is None or not has_sent() else hold(first_row(), STRANGE, now)
    if row.held_at:
        return row.reason
    why = fault(row, trace, now)
    if why == JOINING:
        return why
    if why:
        return hold(row, why, now)
    follow(row, trace)
    return ""


def fault(row: Fence, trace: Trace | None, now: datetime) -> str:
    """What both witnesses, and the clock, speak against; "" when all is well."""
    if not row.beat_at:
        return ""
    if just_confirmed(row, trace, now):
        pass
    elif trace is None:
        if row.installation != settings.INSTALLATION and (why := unknown_here(row, row.beat_at, now)):
            return why
    elif trace.installation != row.installation:
        return f"{STRANGE}: its data folder belongs to the installation {trace.installation}"
    elif trace.beats > row.beats + SLACK:
        return "an older state of the database was restored: what it calls unsent may have been sent since"
    return clock_fault(row.beat_at, now)


def just_confirmed(row: Fence, trace: Trace | None, now: datetime) -> bool:
    """Whatever the files of the machines at work said then, an operator has judged it."""
    if row.confirmed_at is None or now - row.confirmed_at > NEAR:
        return False
    return trace is None or trace.written_at < row.confirmed_at


def unknown_here(row: Fence, beat_at: datetime, now: datetime) -> str:
    """A machine without a file: it joins others that are at work, or this is a copy."""
    if row.beats > _met.setdefault(row.installation, row.beats):
        return ""
    if now - beat_at < NEAR:
        return JOINING
    return "this database came from another machine, or the data folder is new"


def clock_fault(beat_at: datetime, now: datetime) -> str:
    if now < beat_at - CLOCK_SLACK:
        return f"the clock went back from {moment(beat_at)} to {moment(now)}"
    if settings.FENCE_GAP and now - beat_at > settings.FENCE_GAP:
        return (
            f"nothing ran here from {moment(beat_at)} to {moment(now)}: "
            "a snapshot of the machine or of its database may have been put back"
        )
    return ""


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def has_sent() -> bool:
    with every_account():
        return Message.objects.exclude(sent_at=None).exists()


def first_row() -> Fence:
    return Fence.objects.get_or_create(pk=1, defaults={"installation": uuid4().hex})[0]


def hold(row: Fence, why: str, now: datetime) -> str:
    """Of two that find a reason at once, the first one's stays."""
    if Fence.objects.filter(pk=row.pk, held_at=None).update(held_at=now, reason=why[:500]):
        log.error("sending.held", reason=why, installation=row.installation)
    return why


def follow(row: Fence, trace: Trace | None) -> None:
    if row.beats and (trace is None or (trace.installation, trace.beats) != (row.installation, row.beats)):
        write_trace(row.installation, row.beats)


def beat() -> str:
    """Say that this installation lives: in the row, then in the file. Why it is held, if it is."""
    now = timezone.now()
    if why := look(now):
        return why
    row = first_row()
    # The row first: a file that is behind proves nothing, one that is ahead would.
    if Fence.objects.filter(pk=row.pk, held_at=None).update(beats=F("beats") + 1, beat_at=now):
        row.refresh_from_db()
        follow(row, read_trace())
    return ""


def held() -> Fence | None:
    """The row while it is held: all that pages need, whichever machine serves them."""
    return Fence.objects.filter(held_at__isnull=False).first()
