"""Mailboxes: connecting, changing, pausing and resuming what campaigns send from."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from crm.importing.values import clean_email
from outreach import direct
from outreach.deliverability.domains import domain_of
from outreach.enrolments import replan
from outreach.mailbox_settings import check, set_login, set_ramp_up, set_server
from outreach.models import EmailAccount, Message
from pipelime import locks
from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import Account, User
from pipelime.accounts.notices import send_notice
from pipelime.doorbell import ring
from pipelime.errors import Conflict, Invalid
from pipelime.events.recording import record
from pipelime.permalinks import permalink

PLAIN_FIELDS = (
    "name", "signature", "daily_limit", "time_zone", "owner", "gap_seconds", "gap_jitter_seconds",
)  # fmt: skip
SECRETS = ("smtp_password", "imap_password", "refresh_token", "access_token")


@transaction.atomic
def create_mailbox(
    account: Account,
    *,
    by,
    email: str,
    smtp: dict[str, Any] | None = None,
    imap: dict[str, Any] | None = None,
    login: str = EmailAccount.Login.PASSWORD,
    refresh_token: str = "",
    ramp_up: dict[str, Any] | None = None,
    **plain: Any,
) -> EmailAccount:
    """`plain` are PLAIN_FIELDS. With another log-in than by password, the servers are its provider's.

    Without an owner it is owned by whoever logs in with its address, if anybody does.
    """
    email = free_address(account, email)
    if unknown := set(plain) - set(PLAIN_FIELDS):
        raise Invalid(f"A mailbox has no {sorted(unknown)[0]!r}", field=sorted(unknown)[0])
    mailbox = EmailAccount(account=account, email=email, created_by=person_acting(by, account.pk), **plain)
    mailbox.owner = mailbox.owner or User.objects.active().filter(email=User.normalise(email)).first()
    if login == EmailAccount.Login.PASSWORD:
        if refresh_token:
            raise Invalid("A refresh token goes with a log-in at google or microsoft", field="refresh_token")
        set_server(mailbox, "smtp", smtp)
        set_server(mailbox, "imap", imap)
    else:
        refuse_servers(login, smtp=smtp, imap=imap)
        set_login(mailbox, login, refresh_token)
    set_ramp_up(mailbox, ramp_up)
    check(mailbox)
    mailbox.save()
    domain_of(mailbox)
    record("mailbox.created", mailbox, by=by)
    return mailbox


def refuse_servers(login: str, **servers: dict[str, Any] | None) -> None:
    for kind, server in servers.items():
        if server is not None:
            raise Invalid(f"A mailbox at {login} uses that provider's servers; leave {kind} out", field=kind)


def free_address(account: Account, email: str) -> str:
    """The address as it is stored, if no mailbox has it."""
    try:
        email = clean_email(email)
    except ValueError as error:
        raise Invalid(str(error), field="email") from None
    if known := mailbox_at(account, email):
        raise Conflict(f"{email} is connected already", existing=str(known.uid))
    return email


def mailbox_at(account: Account, email: str) -> EmailAccount | None:
    locks.hold("mailbox", account.pk)  # of two who find nothing, the second looks again
    return EmailAccount.objects.alive().filter(email__iexact=email).first()


@transaction.atomic
def log_in_by(account: Account, *, by, login: str, email: str, refresh_token: str) -> EmailAccount:
    """Connect the mailbox at a provider; one that is known gets the new log-in, and works again."""
    mailbox = mailbox_at(account, email)
    if mailbox is None:
        return create_mailbox(account, by=by, email=email, login=login, refresh_token=refresh_token)
    set_login(mailbox, login, refresh_token)
    mailbox.save()
    record("mailbox.updated", mailbox, by=by, changes={"login": ["", "changed"]})
    resume_mailbox(mailbox, by=by)
    return mailbox


@transaction.atomic
def update_mailbox(mailbox: EmailAccount, *, by, **changes: Any) -> EmailAccount:
    """Change what is given. `smtp`, `imap` and `ramp_up` take parts; a password left out is kept."""
    before = {name: getattr(mailbox, name) for name in PLAIN_FIELDS}
    for name in PLAIN_FIELDS:
        if name in changes:
            setattr(mailbox, name, changes.pop(name))
    parts = {name: changes.pop(name) for name in ("smtp", "imap", "ramp_up") if name in changes}
    for name, part in parts.items():
        if name == "ramp_up":
            set_ramp_up(mailbox, part)
        else:
            set_server(mailbox, name, part)
    if changes:
        raise Invalid(f"A mailbox has no {sorted(changes)[0]!r} to change", field=sorted(changes)[0])
    check(mailbox)
    changed = {
        name: [shown(old), shown(getattr(mailbox, name))]
        for name, old in before.items()
        if getattr(mailbox, name) != old
    }
    changed |= {name: ["", "changed"] for name in parts}
    if changed:
        mailbox.save()
        record("mailbox.updated", mailbox, by=by, changes=changed)
        ring("outreach.tasks.plan_due")
    return mailbox


def shown(value: Any) -> Any:
    return value.name if isinstance(value, User) else value


@transaction.atomic
def delete_mailbox(mailbox: EmailAccount, *, by) -> None:
    """Disconnect: it sends nothing more and forgets its passwords; what it has sent stays on record."""
    mailbox.deleted_at = timezone.now()
    for secret in SECRETS:
        setattr(mailbox, secret, "")
    mailbox.save(update_fields=["deleted_at", *SECRETS, "updated_at"])
    own = Message.objects.filter(mailbox=mailbox)
    replan(own, error="the mailbox was disconnected")
    direct.drop(own, reason="the mailbox was disconnected")
    record("mailbox.deleted", mailbox, by=by)
    ring("outreach.tasks.plan_due")


@transaction.atomic
def pause_mailbox(mailbox: EmailAccount, *, by, reason: str) -> bool:
    """Stop sending from it, and say why on its page. Its campaigns plan anew, direct mail waits in it.

    Whether it was not paused before.
    """
    changed = EmailAccount.objects.filter(pk=mailbox.pk, paused_at=None).update(
        paused_at=timezone.now(), pause_reason=reason[:500]
    )
    if changed:
        mailbox.refresh_from_db()
        own = Message.objects.filter(mailbox=mailbox)
        replan(own, error="the mailbox was paused")
        direct.take_back(own, error="the mailbox was paused")
        record("mailbox.paused", mailbox, by=by)
    return bool(changed)


def login_refused(mailbox: EmailAccount, words: str) -> None:
    """Its log-in was turned away, which does not pass by itself; `words` are the server's own."""
    if mailbox.login == EmailAccount.Login.PASSWORD:
        remedy = "Correct its user name and password, test its servers, then resume it."
    else:
        remedy = f"Connect it again at {mailbox.get_login_display()}, which also resumes it."
    pause_and_tell(mailbox, reason=words, remedy=remedy)


@transaction.atomic
def pause_and_tell(mailbox: EmailAccount, *, reason: str, remedy: str = "Resume it when mended.") -> None:
    """Pause it and mail its owner, else the account's administrators: once a pause, whatever comes after."""
    if not pause_mailbox(mailbox, by=None, reason=reason):
        return
    owner = mailbox.owner if mailbox.owner and mailbox.owner.disabled_at is None else None
    people = [owner] if owner else User.objects.admins().filter(account_id=mailbox.account_id)
    text = (
        f"Nothing is sent from {mailbox.email} any more:\n\n{reason}\n\n{remedy}\n\n"
        f"{permalink('mailboxes', mailbox.pk)}\n"
    )
    for person in people:
        send_notice(mailbox.account, person.email, f"{mailbox.email} is paused", text)


@transaction.atomic
def resume_mailbox(mailbox: EmailAccount, *, by) -> None:
    changed = EmailAccount.objects.filter(pk=mailbox.pk, paused_at__isnull=False).update(
        paused_at=None, pause_reason=""
    )
    if changed:
        mailbox.refresh_from_db()
        record("mailbox.resumed", mailbox, by=by)
        ring("outreach.tasks.plan_due")
        ring("outreach.tasks.send_due")  # direct mail has waited in it
