"""Access tokens of mailboxes at Google and Microsoft: kept while they live, refreshed by one at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from outreach import oauth
from outreach.enrolments import locked
from outreach.models import EmailAccount

EARLY = timedelta(minutes=5)  # before its end, so that none ends in the middle of a batch
FIELDS = ["refresh_token", "access_token", "access_until"]


def access_token(mailbox: EmailAccount, *, refused: str = "") -> str:
    """A token that lives; another one than `refused`, which a server has just turned away.

    Raises oauth.GrantRefused and oauth.ProviderUnavailable.
    """
    if serves(mailbox, refused):
        return mailbox.access_token
    if mailbox.pk is None or mailbox._state.adding:
        return refresh(mailbox)
    with alone(mailbox):
        mailbox.refresh_from_db(fields=FIELDS)  # somebody else may have refreshed it meanwhile
        if not serves(mailbox, refused):
            refresh(mailbox)
            store(mailbox)
    return mailbox.access_token


def serves(mailbox: EmailAccount, refused: str) -> bool:
    until = mailbox.access_until
    return bool(
        mailbox.access_token and mailbox.access_token != refused and until and until > timezone.now() + EARLY
    )


def refresh(mailbox: EmailAccount) -> str:
    if not mailbox.refresh_token:
        raise oauth.GrantRefused(f"{mailbox.email} is no longer connected to {mailbox.get_login_display()}")
    tokens = oauth.refresh(oauth.PROVIDERS[mailbox.login], mailbox.refresh_token)
    mailbox.access_token, mailbox.access_until = tokens.access, tokens.until
    mailbox.refresh_token = tokens.refresh or mailbox.refresh_token  # Microsoft gives a new one each time
    return tokens.access


@transaction.atomic
def store(mailbox: EmailAccount) -> None:
    """A mailbox that was disconnected meanwhile has forgotten its tokens for good."""
    if locked(EmailAccount.objects.alive().filter(pk=mailbox.pk)).first():
        mailbox.save(update_fields=FIELDS)


@contextmanager
def alone(mailbox: EmailAccount) -> Iterator[None]:
    """Under the row's lock; on SQLite under a file's, where a transaction would keep all writers waiting."""
    if connection.vendor == "postgresql":
        with transaction.atomic():
            locked(EmailAccount.objects.filter(pk=mailbox.pk)).first()
            yield
        return
    folder = settings.DATA / "locks"
    folder.mkdir(exist_ok=True)
    with (folder / f"mailbox-{mailbox.pk}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # closing the file lets go of it
        yield
