"""The doors' common step: find the account, keep the mail as it came, tell a worker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm import files
from crm.models import ReceivedMail
from crm.receiving import headers, letters
from crm.receiving.addresses import account_for
from crm.receiving.retention import FOLDER
from pipelime.accounts.models import Account
from pipelime.doorbell import ring
from pipelime.errors import Invalid
from pipelime.events.recording import record
from pipelime.scope import account_scope

log = structlog.get_logger(__name__)

BELL = "crm.tasks.work_mail"


def receive(
    raw: bytes, *, source: str, recipients: Sequence[str] = (), account: Account | None = None
) -> ReceivedMail | None:
    """Keep a mail for the account that it came to; None when no account has any of its addresses.

    `recipients` are those of the envelope, where the door knows them; else the headers tell. The same mail
    twice is one row. Once this returns, the mail is safe and its sender may forget it.
    """
    if len(raw) > settings.INBOUND_LIMIT:
        megabytes = settings.INBOUND_LIMIT // (1024 * 1024)
        raise Invalid(f"The mail has {len(raw):,} bytes; at most {megabytes} MB are taken", rule="too_large")
    if not raw.strip():
        raise Invalid("The mail is empty", rule="empty")
    account = account or account_for(recipients or addressed(raw))
    if account is None:
        log.warning("mail.unknown_recipient", source=source, recipients=list(recipients)[:5], size=len(raw))
        return None
    with account_scope(account):
        return keep(account, raw, source)


def addressed(raw: bytes) -> Iterable[str]:
    return headers.recipients(letters.head_of(raw))


def keep(account: Account, raw: bytes, source: str) -> ReceivedMail:
    kept = files.keep(FOLDER, account.pk, ContentFile(raw))
    known = ReceivedMail.objects.filter(sha256=kept.sha256)
    try:
        if (before := known.first()) is not None:
            files.discard(kept.name)
            return before
        return write(account, raw, source, kept)
    except IntegrityError:  # the same mail came in by another door at this moment
        files.discard(kept.name)
        return known.get()
    except BaseException:
        files.discard(kept.name)
        raise


@transaction.atomic
def write(account: Account, raw: bytes, source: str, kept: files.Kept) -> ReceivedMail:
    letter = letters.head(raw)
    mail = ReceivedMail.objects.create(
        account=account,
        raw=kept.name,
        sha256=kept.sha256,
        size=kept.size,
        source=source,
        message_id=letter.message_id,
        sender=letter.sender,
        subject=letter.subject[:998],
        due_at=turn(),
    )
    record("mail.received", mail, by=None)
    ring(BELL)
    return mail


def turn() -> datetime:
    """When the account's next mail is worked on: at most so many an hour, so that a flood waits in line."""
    now, most = timezone.now(), settings.INBOUND_PER_HOUR
    last = ReceivedMail.objects.order_by("-id").values_list("due_at", flat=True)[most - 1 : most]
    return max([now, *(moment + timedelta(hours=1) for moment in last)])
