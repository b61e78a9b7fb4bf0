"""Looking into the mailboxes, each every minute or as it is set, by one worker at a time.

A folder is read from where it was left, beginning with what comes after the first look. Nothing is marked as
read, and nothing is kept but what belongs to something that we sent: headers are looked at first.
"""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from outreach.connections import open_imap
from outreach.incoming import reading
from outreach.incoming.matching import is_wanted
from outreach.incoming.taking import take_in
from outreach.mailboxes import login_refused
from outreach.models import EmailAccount, MailFolder
from outreach.resolving import resolve
from outreach.smtp_results import DialogueError, LoginRefused
from pipelime import ledger
from pipelime.imap import Folder, Head, special_folder
from pipelime.outbound import OutboundError
from pipelime.scope import account_scope

log = structlog.get_logger(__name__)

INBOX = "INBOX"
TURN = timedelta(minutes=10)  # a poll that takes longer has died; a visit is cut long before
LONGEST_PAUSE = timedelta(hours=1)  # between visits to a server that does not let us in
RESCANNED = timedelta(days=30)  # when a folder's uids have all become others
MOST = 500  # mails looked at in one poll of a folder
BATCH = 50
LONGEST_MAIL = 2 * 1024 * 1024  # bytes; words and reports stand before what is larger
MOST_TRIES = 3
UNREACHABLE = (imaplib.IMAP4.error, OSError, OutboundError, DialogueError)


class Unreadable(Exception):
    """One mail could not be fetched or taken, again."""


def due(now: datetime) -> MailFolder | None:
    """The mailbox whose turn it is, given to nobody else until its turn is over."""
    with transaction.atomic():
        waiting = MailFolder.objects.filter(
            name=INBOX, due_at__lte=now, mailbox__deleted_at=None, mailbox__account__suspended_at=None
        ).exclude(mailbox__imap_host="")
        skips = connection.features.has_select_for_update_skip_locked
        first = waiting.select_for_update(of=("self",), no_key=True, skip_locked=skips).order_by(
            "due_at", "pk"
        )
        folder = first.select_related("mailbox__account", "mailbox__owner").first()
        if folder is not None:
            MailFolder.objects.filter(pk=folder.pk).update(due_at=now + TURN, tried_at=now)
    return folder


def make_inboxes() -> None:
    """Mailboxes that were connected since are looked into for the first time."""
    new = EmailAccount.objects.alive().exclude(imap_host="").exclude(folders__name=INBOX)
    MailFolder.objects.bulk_create(
        [
            MailFolder(account_id=account, mailbox_id=pk, name=INBOX)
            for pk, account in new.values_list("pk", "account")
        ],
        ignore_conflicts=True,
    )


def poll(inbox: MailFolder, now: datetime) -> int:
    """One visit to one mailbox: how many mails were taken in. What goes wrong is kept with the folder."""
    mailbox, taken, problem = inbox.mailbox, 0, "The last visit broke off"
    with account_scope(mailbox.account_id):
        try:
            with open_imap(mailbox) as server:
                for folder, place in places(inbox, server):
                    taken += read_on(mailbox, folder, place, now)
                resolve(mailbox, server)
            problem = ""
        except LoginRefused as error:
            problem = str(error)
            login_refused(mailbox, problem)
        except (*UNREACHABLE, Unreadable) as error:
            problem = f"{type(error).__name__}: {error}"
            log.info("mail.poll_failed", mailbox=mailbox.pk, error=problem)
        finally:
            end(inbox, now, problem)
    return taken


def end(inbox: MailFolder, now: datetime, problem: str) -> None:
    """Whoever cannot be reached is asked less and less often, until it works again."""
    failures = inbox.failures + 1 if problem else 0
    pause = settings.POLL_EVERY
    if failures:
        pause = ledger.back_off(failures - 1, base=2 * pause, most=LONGEST_PAUSE)
    worked = {} if problem else {"polled_at": timezone.now()}
    MailFolder.objects.filter(pk=inbox.pk).update(
        due_at=now + pause, failures=min(failures, 1000), last_error=problem[:500], **worked
    )


def places(inbox: MailFolder, server: imaplib.IMAP4) -> Iterator[tuple[MailFolder, Folder]]:
    """The INBOX, and where reports end up that somebody took for spam."""
    yield inbox, Folder(server, INBOX)
    if name := special_folder(server, "\\Junk"):
        junk, _ = MailFolder.objects.get_or_create(
            mailbox=inbox.mailbox, name=name[:250], defaults={"account_id": inbox.account_id}
        )
        yield junk, Folder(server, name)
        MailFolder.objects.filter(pk=junk.pk).update(polled_at=timezone.now())


def read_on(mailbox: EmailAccount, folder: MailFolder, place: Folder, now: datetime) -> int:
    """What has come since the last look, the oldest first."""
    if folder.uid_validity != place.uid_validity:
        begin(folder, place, now)
    uids, taken = place.after(folder.last_uid)[:MOST], 0
    for start in range(0, len(uids), BATCH):
        taken += read_batch(mailbox, folder, place, uids[start : start + BATCH], now)
    return taken


def begin(folder: MailFolder, place: Folder, now: datetime) -> None:
    """From now on. Where known uids are void, a month back: what was taken then is known by its digest."""
    last_uid = place.last_uid()
    if folder.uid_validity and (recent := place.since((now - RESCANNED).date())):
        last_uid = recent[0] - 1
    folder.uid_validity, folder.last_uid, folder.tries = place.uid_validity, last_uid, 0
    folder.save(update_fields=["uid_validity", "last_uid", "tries"])


def read_batch(
    mailbox: EmailAccount, folder: MailFolder, place: Folder, uids: list[int], now: datetime
) -> int:
    heads = place.heads(uids)
    taken = sum(take_one(mailbox, folder, place, head, now) for head in heads)
    advance(folder, uids[-1])
    return taken


def take_one(mailbox: EmailAccount, folder: MailFolder, place: Folder, head: Head, now: datetime) -> bool:
    """The mail, all that follows from it and the place in the folder behind it, in one transaction.

    One that cannot be taken is tried three times, then passed over: the others behind it must not wait.
    """
    junk = folder.name != INBOX
    try:
        if not is_wanted(reading.head(head.headers, now), mailbox, trusted_only=junk):
            return False
        raw = place.message(head.uid, most=LONGEST_MAIL)
        with transaction.atomic():
            incoming = take_in(mailbox, raw, now, trusted_only=junk) if raw else None
            advance(folder, head.uid)
        return incoming is not None
    except imaplib.IMAP4.abort:
        raise  # the connection has ended, which is not this mail's fault
    except Exception as error:
        log.exception("mail.not_taken", mailbox=mailbox.pk, folder=folder.name, uid=head.uid)
        give_way(folder, head.uid, error)
        return False


def give_way(folder: MailFolder, uid: int, error: Exception) -> None:
    if folder.tries + 1 < MOST_TRIES:
        advance(folder, uid - 1)
        MailFolder.objects.filter(pk=folder.pk).update(tries=F("tries") + 1)
        raise Unreadable(f"The mail {uid} in {folder.name} could not be taken: {error}") from error
    advance(folder, uid)
    log.error("mail.passed_over", folder=folder.pk, uid=uid, error=str(error))


def advance(folder: MailFolder, uid: int) -> None:
    """Never back: what is known of a mail behind it, its tries, ends with it."""
    if uid > folder.last_uid:
        MailFolder.objects.filter(pk=folder.pk, last_uid__lt=uid).update(last_uid=uid, tries=0)
        folder.last_uid, folder.tries = uid, 0
