"""The work: broker, workers, what waits, what a person must decide."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from crm.models import Inbox
from crm.receiving.imap import parse_imap_url
from outreach import fence
from outreach.counting import differences
from outreach.models import EmailAccount, Message
from pipelime import health
from pipelime.accounts.models import Account
from pipelime.celery import app
from pipelime.doctor.tasks import answer_of, answer_probe
from pipelime.doctor.verdicts import Verdict, failure, ok, warning
from pipelime.ids import uuid7

PATIENCE = 10.0
LATE, STUCK = 300, 3600  # seconds
SHOWN = 3


def broker() -> Iterator[Verdict]:
    said = health.broker()
    where = "the file broker" if not settings.BROKER_URL else "the broker"
    if said == "ok":
        yield ok(f"Bells can be rung: {where} answers.")
    else:
        yield failure(
            f"Bells cannot be rung ({said}): start the broker or correct BROKER_URL; nothing is lost."
        )


def worker() -> Iterator[Verdict]:
    """A worker is asked to read a file that this process wrote: both must see the same storage."""
    if health.broker() != "ok":
        return  # nobody can be asked, as the broker's own verdict says
    content = uuid7().bytes
    name = default_storage.save(f"doctor/{uuid7().hex}", ContentFile(content))
    try:
        answer = ask_a_worker(name)
    finally:
        default_storage.delete(name)
    if answer is None:
        yield failure(
            f"No worker answered within {PATIENCE:.0f} seconds: start bin/up, or a worker, and see its log."
        )
    elif answer != hashlib.sha256(content).hexdigest():
        yield failure(
            "A worker answered, but does not see the files that this process writes: give web and workers "
            "one PIPELIME_DATA on a shared mount, or an S3 storage."
        )
    else:
        yield ok("A worker answers, and reads what this process writes.")


def ask_a_worker(name: str, pause: Callable[[float], None] = time.sleep) -> str | None:
    app.send_task(answer_probe.name, args=[name], expires=PATIENCE, retry=False, ignore_result=True)
    patient_until = time.monotonic() + PATIENCE
    while time.monotonic() < patient_until:
        if (answer := cache.get(answer_of(name))) is not None:
            return answer
        pause(0.1)
    return None


def waiting() -> Iterator[Verdict]:
    oldest = max(health.queues(), key=lambda queue: queue[2], default=("", 0, 0.0))
    name, rows, age = oldest
    if age > LATE:
        level = failure if age > STUCK else warning
        yield level(
            f"The oldest due {name} waits for {age / 60:.0f} minutes, with {rows} due: start workers, "
            "or more of them, and see their log."
        )
    else:
        yield ok("Nothing that is due waits for long.")


def ambiguous() -> Iterator[Verdict]:
    count = Message.objects.filter(state=Message.State.AMBIGUOUS).count()
    if count:
        noun = "mail" if count == 1 else "mails"
        yield warning(
            f"Nobody knows whether {count} {noun} arrived: look into the mailboxes and settle them, "
            "in Messages or by POST /api/messages/{id}/settle."
        )
    else:
        yield ok("No mail's fate is unknown.")


def sending() -> Iterator[Verdict]:
    """The restore fence."""
    row = fence.held()
    if row is None:
        yield ok("Sending is not held: this is the database that ran here last.")
    else:
        yield failure(
            f"Sending is held since {fence.moment(row.held_at)}: {row.reason}. "
            "Run bin/manage confirm_sending, which shows what would go out."
        )


def mailboxes() -> Iterator[Verdict]:
    paused = EmailAccount.objects.alive().filter(paused_at__isnull=False)
    count = paused.count()
    if count:
        names = "; ".join(f"{box.email}: {box.pause_reason}" for box in paused.order_by("pk")[:SHOWN])
        yield warning(
            f"{count} {'mailbox is' if count == 1 else 'mailboxes are'} paused ({names}): resume when mended."
        )
    else:
        yield ok("No mailbox is paused.")


def inbox() -> Iterator[Verdict]:
    """The mailbox that mail for leads is fetched from."""
    if not settings.INBOUND_IMAP:
        yield ok("No mailbox is polled: mail becomes leads by pipe or by HTTP.")
        return
    try:
        name = parse_imap_url(settings.INBOUND_IMAP).name
    except ImproperlyConfigured as error:
        yield failure(f"{error}.")
        return
    polled = Inbox.objects.filter(name=name[:250]).exclude(polled_at=None).first()
    if polled is None:
        yield warning(f"The mailbox {name} has not been polled yet: start a worker and the scheduler.")
    elif polled.last_error:
        yield failure(
            f"The mailbox {name} cannot be read ({polled.last_error}): correct PIPELIME_INBOUND_IMAP."
        )
    else:
        yield ok(f"The mailbox {name} is read, up to its message {polled.last_uid}.")


def accounts() -> Iterator[Verdict]:
    count = Account.objects.count()
    if count:
        yield ok(f"{count} {'account is' if count == 1 else 'accounts are'} open.")
    else:
        yield warning("There is no account yet: run bin/manage create_account NAME --email E --password P.")


def caps() -> Iterator[Verdict]:
    """The counters that daily limits go by, against the messages that raised them."""
    since = (timezone.now() - timedelta(days=2)).date()
    low = [(scope, used, counted) for scope, used, counted in differences(since) if used < counted]
    high = sum(used - counted for _, used, counted in differences(since) if used > counted)
    # A mail that a person had sent again counts twice: both may have arrived.
    again = Message.objects.filter(settled_at__date__gte=since).count()
    if low:
        scope, used, counted = low[0]
        yield failure(
            f"The daily counter of {scope} says {used}, but {counted} mails used it "
            f"({len(low)} such counters): pause its campaigns until tomorrow and report this."
        )
    elif high > again:
        yield warning(
            f"Daily counters stand {high - again} higher than the mails that used them: today sends fewer."
        )
    else:
        yield ok("The daily counters agree with the mails.")
