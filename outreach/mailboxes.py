"""Mailboxes: connecting, changing, testing and pausing what campaigns send from."""

from __future__ import annotations

import imaplib
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from crm.importing.values import clean_email
from outreach import direct
from outreach.connections import imap_connection, log_in
from outreach.enrolments import replan
from outreach.models import EmailAccount, Message
from outreach.smtp import try_login
from outreach.smtp_results import DialogueError
from pipelime import locks, outbound
from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import Account, User, check_time_zone
from pipelime.doorbell import ring
from pipelime.errors import Conflict, Invalid
from pipelime.events.recording import record

SERVER_KEYS = ("host", "port", "security", "username", "password")
PLAIN_FIELDS = ("name", "signature", "daily_limit", "time_zone", "owner")
MOST_A_DAY = 100_000


@transaction.atomic
def create_mailbox(
    account: Account,
    *,
    by,
    email: str,
    smtp: dict[str, Any],
    imap: dict[str, Any] | None = None,
    name: str = "",
    daily_limit: int = 200,
    signature: str = "",
    time_zone: str = "",
    owner: User | None = None,
) -> EmailAccount:
    """Without an owner it is owned by whoever logs in with its address, if anybody does."""
    email = free_address(account, email)
    mailbox = EmailAccount(
        account=account,
        email=email,
        name=name,
        daily_limit=daily_limit,
        signature=signature,
        time_zone=time_zone,
        owner=owner or User.objects.active().filter(email=User.normalise(email)).first(),
        created_by=person_acting(by, account.pk),
    )
    set_server(mailbox, "smtp", smtp)
    set_server(mailbox, "imap", imap)
    check(mailbox)
    mailbox.save()
    record("mailbox.created", mailbox, by=by)
    return mailbox


def free_address(account: Account, email: str) -> str:
    """The address as it is stored, if no mailbox has it."""
    try:
        email = clean_email(email)
    except ValueError as error:
        raise Invalid(str(error), field="email") from None
    locks.hold("mailbox", account.pk)  # of two who find nothing, the second looks again
    if known := EmailAccount.objects.alive().filter(email__iexact=email).first():
        raise Conflict(f"{email} is connected already", existing=str(known.uid))
    return email


@transaction.atomic
def update_mailbox(mailbox: EmailAccount, *, by, **changes: Any) -> EmailAccount:
    """Change what is given. `smtp` and `imap` take parts of a server; a password left out is kept."""
    before = {name: getattr(mailbox, name) for name in PLAIN_FIELDS}
    for name in PLAIN_FIELDS:
        if name in changes:
            setattr(mailbox, name, changes.pop(name))
    servers = {kind: changes.pop(kind) for kind in ("smtp", "imap") if kind in changes}
    for kind, server in servers.items():
        set_server(mailbox, kind, server)
    if changes:
        raise Invalid(f"A mailbox has no {sorted(changes)[0]!r} to change", field=sorted(changes)[0])
    check(mailbox)
    changed = {
        name: [shown(old), shown(getattr(mailbox, name))]
        for name, old in before.items()
        if getattr(mailbox, name) != old
    }
    changed |= {kind: ["", "changed"] for kind in servers}
    if changed:
        mailbox.save()
        record("mailbox.updated", mailbox, by=by, changes=changed)
        ring("outreach.tasks.plan_due")
    return mailbox


def shown(value: Any) -> Any:
    return value.name if isinstance(value, User) else value


def set_server(mailbox: EmailAccount, kind: str, server: dict[str, Any] | None) -> None:
    """Copy {host, port, security, username, password} into the mailbox; None disconnects IMAP."""
    if server is None:
        if kind == "imap":
            server = {"host": "", "username": "", "password": ""}
        else:
            raise Invalid("A mailbox needs an SMTP server", field="smtp")
    if unknown := set(server) - set(SERVER_KEYS):
        raise Invalid(f"{kind} has {', '.join(SERVER_KEYS)}, not {sorted(unknown)[0]!r}", field=kind)
    refuse_known_password_elsewhere(mailbox, kind, server)
    for key, value in server.items():
        setattr(mailbox, f"{kind}_{key}", value)


def refuse_known_password_elsewhere(mailbox: EmailAccount, kind: str, server: dict[str, Any]) -> None:
    """Whoever may change a host must not learn the password by having it sent to a server of theirs."""
    moves = server.get("host", getattr(mailbox, f"{kind}_host")) != getattr(mailbox, f"{kind}_host")
    if moves and getattr(mailbox, f"{kind}_password") and "password" not in server:
        raise Invalid("A new host needs the password again", field=f"{kind}.password")


def check(mailbox: EmailAccount) -> None:
    check_server(mailbox, "smtp")
    if mailbox.imap_host:
        check_server(mailbox, "imap")
    if not isinstance(mailbox.daily_limit, int) or not 1 <= mailbox.daily_limit <= MOST_A_DAY:
        raise Invalid(
            f"{mailbox.daily_limit!r}: use a whole number from 1 to {MOST_A_DAY:,}", field="daily_limit"
        )
    if mailbox.owner is not None and mailbox.owner.account_id != mailbox.account_id:
        raise Invalid("The owner is a person of this account", field="owner")
    if mailbox.time_zone:
        try:
            check_time_zone(mailbox.time_zone)
        except ValidationError as error:
            raise Invalid("; ".join(error.messages), field="time_zone") from None


def check_server(mailbox: EmailAccount, kind: str) -> None:
    host, port, security, username, password = (getattr(mailbox, f"{kind}_{key}") for key in SERVER_KEYS)
    if not host:
        raise Invalid(f"host is missing; give the name of the {kind.upper()} server", field=f"{kind}.host")
    if not isinstance(port, int) or not 0 < port < 65536:
        raise Invalid(f"{port!r} is no port; use 587, 465 or 25 for SMTP", field=f"{kind}.port")
    if security not in EmailAccount.Security.values:
        raise Invalid("security is one of none, starttls, tls", field=f"{kind}.security")
    for key, value in (("username", username), ("password", password)):
        if not value.isprintable():  # a line break would end the log-in command and begin another
            raise Invalid(
                "Control characters and line breaks cannot be sent to a server", field=f"{kind}.{key}"
            )
    if password and not username:
        raise Invalid("A password without a username logs nobody in", field=f"{kind}.username")


@transaction.atomic
def delete_mailbox(mailbox: EmailAccount, *, by) -> None:
    """Disconnect: it sends nothing more and forgets its passwords; what it has sent stays on record."""
    mailbox.deleted_at = timezone.now()
    mailbox.smtp_password = mailbox.imap_password = ""
    mailbox.save(update_fields=["deleted_at", "smtp_password", "imap_password", "updated_at"])
    own = Message.objects.filter(mailbox=mailbox)
    replan(own, error="the mailbox was disconnected")
    direct.drop(own, reason="the mailbox was disconnected")
    record("mailbox.deleted", mailbox, by=by)
    ring("outreach.tasks.plan_due")


@transaction.atomic
def pause_mailbox(mailbox: EmailAccount, *, by, reason: str) -> None:
    """Stop sending from it, and say why on its page. Its campaigns plan anew, direct mail waits in it."""
    changed = EmailAccount.objects.filter(pk=mailbox.pk, paused_at=None).update(
        paused_at=timezone.now(), pause_reason=reason[:500]
    )
    if changed:
        mailbox.refresh_from_db()
        own = Message.objects.filter(mailbox=mailbox)
        replan(own, error="the mailbox was paused")
        direct.take_back(own, error="the mailbox was paused")
        record("mailbox.paused", mailbox, by=by)


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


def test_mailbox(mailbox: EmailAccount) -> dict[str, Any]:
    """Log in to its servers now and report their own words."""
    smtp = test_smtp(mailbox)
    imap = test_imap(mailbox) if mailbox.imap_host else None
    return {"ok": smtp["ok"] and (imap is None or imap["ok"]), "smtp": smtp, "imap": imap}


def test_smtp(mailbox: EmailAccount) -> dict[str, Any]:
    host, port = mailbox.smtp_host, mailbox.smtp_port
    try:
        words = try_login(
            host,
            port,
            mailbox.smtp_security,
            mailbox.smtp_username,
            mailbox.smtp_password,
            allow_clear_password=outbound.allowed_in_clear(host, port),
        )
    except DialogueError as error:
        return {"ok": False, "detail": str(error)}
    return {"ok": True, "detail": words}


def test_imap(mailbox: EmailAccount) -> dict[str, Any]:
    try:
        with imap_connection(mailbox) as server:
            return {"ok": True, "detail": log_in(server, mailbox)}
    except (imaplib.IMAP4.error, OSError, outbound.OutboundError) as error:
        return {"ok": False, "detail": str(error)}
    except UnicodeEncodeError:
        words = (
            "The user name or the password holds characters that an IMAP log-in cannot carry; use ASCII ones"
        )
        return {"ok": False, "detail": words}
