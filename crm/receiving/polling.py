"""Fetches mail from the operator's mailbox: each message is marked as read once its row is committed."""

from __future__ import annotations

import imaplib
from datetime import timedelta

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
from django.utils import timezone

from crm.models import Inbox
from crm.receiving.accepting import receive
from crm.receiving.imap import opened, parse_imap_url
from pipelime.errors import Invalid
from pipelime.imap import Folder
from pipelime.outbound import OutboundError

log = structlog.get_logger(__name__)

MOST = 200  # messages of one poll; the next one goes on behind them
TURN = timedelta(minutes=10)  # a poll that takes longer has died


def poll() -> int:
    """How many messages were taken in. What goes wrong is kept with the mailbox, and tried again."""
    if not settings.INBOUND_IMAP:
        return 0
    try:
        place = parse_imap_url(settings.INBOUND_IMAP)
    except ImproperlyConfigured as error:
        log.error("mail.inbox_unreadable", error=str(error))
        return 0
    if (inbox := take(place.name[:250])) is None:
        return 0
    problem = ""
    try:
        with opened(place) as mailbox:
            return fetch(mailbox, inbox)
    except (imaplib.IMAP4.error, OSError, OutboundError) as error:
        problem = f"{type(error).__name__}: {error}"[:500]
        log.warning("mail.inbox_unreachable", inbox=inbox.name, error=problem)
        return 0
    finally:
        Inbox.objects.filter(pk=inbox.pk).update(
            busy_until=None, last_error=problem, polled_at=timezone.now()
        )


def take(name: str) -> Inbox | None:
    """One worker polls at a time."""
    inbox, _ = Inbox.objects.get_or_create(name=name)
    now = timezone.now()
    free = Inbox.objects.filter(Q(busy_until=None) | Q(busy_until__lt=now), pk=inbox.pk)
    return inbox if free.update(busy_until=now + TURN) else None


def fetch(mailbox: Folder, inbox: Inbox) -> int:
    """Whatever is newer than the last uid; of a mailbox that is new to us, or made anew, what is unread."""
    validity = mailbox.uid_validity
    known = inbox.uid_validity == validity and inbox.last_uid > 0
    taken = 0
    for uid in (mailbox.after(inbox.last_uid) if known else mailbox.unseen())[:MOST]:
        if accept(mailbox, uid):
            mailbox.mark(uid)
            taken += 1
        Inbox.objects.filter(pk=inbox.pk).update(uid_validity=validity, last_uid=uid)
    return taken


def accept(mailbox: Folder, uid: int) -> bool:
    """What is nobody's, or too long, stays in the mailbox unread, for the operator to see."""
    size = mailbox.size(uid)
    if size > settings.INBOUND_LIMIT:
        log.warning("mail.too_large", uid=uid, size=size)
        return False
    if not (raw := mailbox.message(uid)):
        return False
    try:
        return receive(raw, source="imap") is not None
    except Invalid as error:
        log.warning("mail.not_accepted", uid=uid, error=str(error))
        return False
