"""Stops a mailbox whose mail bounces or annoys too often, before the receiving side stops all of its mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models.functions import Coalesce

from outreach.mailboxes import pause_and_tell
from outreach.models import EmailAccount, Message
from pipelime.events.models import Event

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
LOOKED_AT = 200  # mails, the last ones
FEWEST_SENT = 50
FEWEST_BOUNCES = 5
MOST_BOUNCED = 0.05
FEWEST_COMPLAINTS = 2
MOST_COMPLAINED = 0.003  # above which Gmail and Yahoo turn senders away


@dataclass(frozen=True, slots=True)
class Record:
    """What became of a mailbox's last mails."""

    sent: int
    bounced: int
    complained: int


def verdict(record: Record) -> str:
    """Why the mailbox has to stop, with the figures; or ""."""
    if record.complained >= FEWEST_COMPLAINTS and record.complained > MOST_COMPLAINED * record.sent:
        return said(record.complained, "were complained about", record.sent, MOST_COMPLAINED)
    enough = record.sent >= FEWEST_SENT and record.bounced >= FEWEST_BOUNCES
    if enough and record.bounced > MOST_BOUNCED * record.sent:
        return said(record.bounced, "bounced", record.sent, MOST_BOUNCED)
    return ""


def said(count: int, happened: str, sent: int, most: float) -> str:
    return f"{count} of its last {sent} mails {happened} ({count / sent:.1%}; at most {most:.1%} may)"


def brake(
    mailbox: EmailAccount, *, bounced: Message | None = None, complained: Message | None = None
) -> None:
    """Part of the transaction that learns of this bounce or complaint, before it is written."""
    record = record_of(mailbox, bounced.pk if bounced else None, complained.pk if complained else None)
    if reason := verdict(record):
        pause_and_tell(mailbox, reason=reason)


def record_of(
    mailbox: EmailAccount, bounced_id: int | None = None, complained_id: int | None = None
) -> Record:
    """Of what was sent since a person last let it go on: they have seen what was before.

    What the server refused at once has bounced as well, without ever being sent.
    """
    ended = Message.objects.filter(mailbox=mailbox).annotate(ended_at=Coalesce("sent_at", "bounced_at"))
    ended = ended.filter(ended_at__gt=resumed_at(mailbox) or BEGINNING)
    last = list(ended.order_by("-id").values_list("pk", "bounced_at", "complained_at")[:LOOKED_AT])
    return Record(
        sent=len(last),
        bounced=sum(bounce is not None or pk == bounced_id for pk, bounce, _ in last),
        complained=sum(complaint is not None or pk == complained_id for pk, _, complaint in last),
    )


def resumed_at(mailbox: EmailAccount) -> datetime | None:
    resumed = Event.objects.filter(
        subject_type=mailbox._meta.model_name, subject_id=mailbox.pk, name="mailbox.resumed"
    )
    return resumed.order_by("-id").values_list("at", flat=True).first()
