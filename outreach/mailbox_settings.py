"""What a mailbox is set to: its servers, its log-in, its pace. What cannot work is refused by name."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from outreach import oauth
from outreach.models import EmailAccount
from outreach.windows import zone_named
from pipelime.accounts.models import check_time_zone
from pipelime.errors import Invalid

SERVER_KEYS = ("host", "port", "security", "username", "password")
RAMP_KEYS = ("from", "by", "on")
MOST_A_DAY = 100_000
LONGEST_GAP = 24 * 3600


def set_server(mailbox: EmailAccount, kind: str, server: dict[str, Any] | None) -> None:
    """Copy {host, port, security, username, password} into the mailbox; None disconnects IMAP."""
    if mailbox.login != EmailAccount.Login.PASSWORD:
        label = mailbox.get_login_display()
        raise Invalid(
            f"A mailbox at {label} keeps {label}'s servers; disconnect it to use others", field=kind
        )
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


def set_login(mailbox: EmailAccount, login: str, refresh_token: str) -> None:
    """Log in at a provider by OAuth 2, at the provider's own servers; passwords are forgotten."""
    provider = oauth.provider_named(login)
    if not refresh_token or not refresh_token.isprintable():
        raise Invalid(
            f"refresh_token is missing: the one that {provider.label} gave for {mailbox.email}",
            field="refresh_token",
        )
    for kind, server in (("smtp", provider.smtp), ("imap", provider.imap)):
        for key, value in zip(SERVER_KEYS, (*server, mailbox.email, ""), strict=True):
            setattr(mailbox, f"{kind}_{key}", value)
    mailbox.login, mailbox.refresh_token = login, refresh_token
    mailbox.access_token, mailbox.access_until = "", None


def set_ramp_up(mailbox: EmailAccount, ramp_up: dict[str, Any] | None) -> None:
    """{from, by, on}: so many mails on the first day and so many more each day; None: no ramp-up.

    Parts left out are kept; without a first day, it is today in the mailbox's zone.
    """
    if ramp_up is None:
        mailbox.ramp_up_from, mailbox.ramp_up_by, mailbox.ramp_up_on = None, 0, None
        return
    if unknown := set(ramp_up) - set(RAMP_KEYS):
        raise Invalid(f"ramp_up has from, by and on, not {sorted(unknown)[0]!r}", field="ramp_up")
    for key, value in ramp_up.items():
        setattr(mailbox, f"ramp_up_{key}", value)
    mailbox.ramp_up_by = mailbox.ramp_up_by or 0
    if mailbox.ramp_up_from is not None and mailbox.ramp_up_on is None:
        mailbox.ramp_up_on = today(mailbox)


def today(mailbox: EmailAccount) -> date:
    return timezone.now().astimezone(zone_named(mailbox.time_zone or mailbox.account.time_zone)).date()


def check(mailbox: EmailAccount) -> None:
    check_server(mailbox, "smtp")
    if mailbox.imap_host:
        check_server(mailbox, "imap")
    if mailbox.owner is not None and mailbox.owner.account_id != mailbox.account_id:
        raise Invalid("The owner is a person of this account", field="owner")
    if mailbox.time_zone:
        try:
            check_time_zone(mailbox.time_zone)
        except ValidationError as error:
            raise Invalid("; ".join(error.messages), field="time_zone") from None
    check_pace(mailbox)


def check_pace(mailbox: EmailAccount) -> None:
    check_number("daily_limit", mailbox.daily_limit, 1, MOST_A_DAY)
    check_number("gap_seconds", mailbox.gap_seconds, 0, LONGEST_GAP)
    check_number("gap_jitter_seconds", mailbox.gap_jitter_seconds, 0, LONGEST_GAP)
    if mailbox.ramp_up_from is None:
        if mailbox.ramp_up_by:
            raise Invalid("A ramp-up begins with so many mails on its first day", field="ramp_up.from")
        return
    check_number("ramp_up.from", mailbox.ramp_up_from, 1, MOST_A_DAY)
    check_number("ramp_up.by", mailbox.ramp_up_by, 1, MOST_A_DAY)
    if not isinstance(mailbox.ramp_up_on, date):
        raise Invalid(f"{mailbox.ramp_up_on!r} is no day; write it as 2027-03-31", field="ramp_up.on")


def check_number(field: str, value: Any, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid(f"{value!r}: use a whole number from {least} to {most:,}", field=field)


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
