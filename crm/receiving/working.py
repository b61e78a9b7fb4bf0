"""Works through the mail that was taken in. Whatever a mail holds, it ends in a state that people can see."""

from __future__ import annotations

import threading

import structlog
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from crm.models import ReceivedMail
from crm.receiving import filing, letters
from crm.receiving.accepting import BELL
from pipelime import ledger
from pipelime.accounts.models import Account
from pipelime.changing import reread
from pipelime.doorbell import ring
from pipelime.errors import Conflict, Invalid, PipelimeError
from pipelime.events.recording import record
from pipelime.ledger import LeaseLost
from pipelime.scope import account_scope, every_account

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 5
State = ReceivedMail.State
Outcome = ReceivedMail.Outcome
stopping = threading.Event()  # set when the worker ends

# Mail of a suspended account waits until the account works again.
NOT_SUSPENDED = f"account_id NOT IN (SELECT id FROM {Account._meta.db_table} WHERE suspended_at IS NOT NULL)"  # noqa: S608


def work_due() -> int:
    """Work until nothing is due; safe in several workers."""
    with every_account():
        ledger.release_expired(ReceivedMail)
    done = 0
    while not stopping.is_set():
        with every_account():
            claimed = ledger.claim_due(ReceivedMail, limit=1, now=timezone.now(), where=NOT_SUSPENDED)
        if not claimed:
            break
        for mail_id, fence in claimed.items():
            work(mail_id, fence)
            done += 1
    return done


def work(mail_id: int, fence: int) -> None:
    mail = ReceivedMail._base_manager.select_related("account").get(pk=mail_id)
    with account_scope(mail.account_id):
        try:
            begin(mail, fence)
            settle(mail, fence, letters.read(content(mail)))
        except LeaseLost as lost:
            log.warning("mail.lease_lost", mail=mail.pk, reason=str(lost))
        except (PipelimeError, FileNotFoundError) as error:
            end(mail, fence, error, give_up=True)
        except Exception as error:
            log.exception("mail.stumbled", mail=mail.pk)
            end(mail, fence, error, give_up=mail.attempts >= MOST_ATTEMPTS)


def begin(mail: ReceivedMail, fence: int) -> None:
    """Count the attempt before the work: a mail that kills its worker is not tried for ever."""
    if mail.attempts >= MOST_ATTEMPTS:
        raise Invalid(
            f"{mail.attempts} attempts to read it ended before they were done. {mail.last_error}".strip()
        )
    held = ReceivedMail.objects.filter(pk=mail.pk, fence=fence, state=State.CLAIMED)
    if not held.update(attempts=F("attempts") + 1):
        raise LeaseLost(f"The mail {mail.pk} is no longer held under fence {fence}")
    mail.attempts += 1


def content(mail: ReceivedMail) -> bytes:
    if not mail.raw:
        raise Invalid("The mail as it came has been deleted after its retention")
    with default_storage.open(mail.raw) as file:
        return file.read()


@transaction.atomic
def settle(mail: ReceivedMail, fence: int, letter: letters.Letter) -> None:
    """The lead and the mail's end in one transaction: after a crash both have happened, or neither."""
    ledger.renew(ReceivedMail, {mail.pk: fence})
    filed = filing.file_letter(mail, letter)
    ledger.finish(
        ReceivedMail, mail.pk, fence,
        outcome=filed.outcome, lead_id=filed.lead.pk if filed.lead else None,
        reason=shown(filed.reason), last_error="",
    )  # fmt: skip


def end(mail: ReceivedMail, fence: int, error: Exception, *, give_up: bool) -> None:
    words = str(error) if isinstance(error, PipelimeError) else f"{type(error).__name__}: {error}"
    words = letters.readable(words)
    try:
        if give_up:
            refuse(mail, fence, words)
        else:
            due_at = timezone.now() + ledger.back_off(mail.attempts - 1)
            ledger.put_back(ReceivedMail, mail.pk, fence, due_at=due_at, error=words, reason=shown(words))
    except LeaseLost as lost:
        log.warning("mail.lease_lost", mail=mail.pk, reason=str(lost))


@transaction.atomic
def refuse(mail: ReceivedMail, fence: int, words: str) -> None:
    mail.outcome, mail.reason = Outcome.REFUSED, shown(words)
    ledger.finish(
        ReceivedMail, mail.pk, fence, state=State.FAILED,
        outcome=mail.outcome, reason=mail.reason, last_error=words[:2000],
    )  # fmt: skip
    record("mail.refused", mail, by=None)


def shown(reason: str) -> str:
    return reason if len(reason) <= 500 else f"{reason[:499]}…"


@transaction.atomic
def try_again(mail: ReceivedMail, *, by) -> ReceivedMail:
    """A mail that could not be used is queued anew, as if it had just come."""
    reread(mail)
    if mail.state != State.FAILED:
        raise Conflict(f"This mail is {mail.state}; only one that could not be used is tried again")
    mail.state, mail.outcome = State.QUEUED, Outcome.WAITING
    mail.attempts, mail.due_at = 0, timezone.now()
    mail.save(update_fields=["state", "outcome", "attempts", "due_at"])
    record("mail.requeued", mail, by=by)
    ring(BELL)
    return mail


@transaction.atomic
def make_lead(mail: ReceivedMail, *, by) -> ReceivedMail:
    """A person wants a lead of a mail that was ignored, whatever it was ignored for."""
    reread(mail)
    if mail.outcome != Outcome.IGNORED:
        raise Conflict(f"This mail is {mail.outcome}; only an ignored one is made a lead by hand")
    filed = filing.new_lead(mail, letters.read(content(mail)))
    mail.outcome, mail.lead, mail.reason = filed.outcome, filed.lead, shown(filed.reason)
    mail.save(update_fields=["outcome", "lead", "reason"])
    record("mail.requeued", mail, by=by)
    return mail
