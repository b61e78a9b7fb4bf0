"""Delivers one claim: its rows one after another over one connection, each signed as it leaves."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from pipelime.accounts.notices import send_notice
from pipelime.outbound import Answer, Connection, OutboundError, TimedOut
from pipelime.scope import account_scope
from webhooks.claiming import Claim, commit_without_waiting
from webhooks.dialects import Sender, dialect_named
from webhooks.endpoints import call_off, is_disabled
from webhooks.failing import note_health
from webhooks.models import Delivery, Endpoint
from webhooks.outcomes import Outcome, put_back, still_held, write_outcomes
from webhooks.retrying import next_due

WRITE_AFTER = 25  # deliveries, or
WRITE_EVERY = 1.0  # seconds: what a hard kill may repeat
REDIRECTS = range(300, 400)


class Batch:
    """A claim being delivered. `waiting_since` is when the request under way began, for whoever watches."""

    def __init__(self, claim: Claim):
        self.claim = claim
        self.waiting_since: float | None = None
        self._line = line_to(claim.endpoint)
        self._unwritten: list[Outcome] = []
        self._written_at = time.monotonic()
        self._renewed_at = claim.taken_at
        self._held = {delivery.pk for delivery in claim.deliveries}
        self._stopped = False

    def stop(self) -> None:
        """Let the request under way end, and give back the rest."""
        self._stopped = True

    def deliver(self) -> int:
        """Attempt the rows until all are done or the receiver is away. Returns how many were attempted.

        An error of our own leaves the rest to its leases: the rows come back, but not at once and again.
        """
        with account_scope(self.claim.endpoint.account_id):
            try:
                attempted = self._work()
            finally:
                self._line.close()
                self._write()
            if attempted < len(self.claim.deliveries):
                put_back(self.claim)
            if is_disabled(self.claim.endpoint):
                call_off(self.claim.endpoint)
        return attempted

    def _work(self) -> int:
        attempted = 0
        for delivery in self.claim.deliveries:
            if self._stopped:
                break
            self._keep_leases()
            if delivery.pk in self._held:
                attempted += 1
                self._attempt(delivery)
        return attempted

    def _attempt(self, delivery: Delivery) -> None:
        self.waiting_since = time.monotonic()
        outcome = self._line.attempt(delivery)
        self.waiting_since = None
        self._unwritten.append(outcome)
        self._stopped = self._stopped or outcome.is_away
        if len(self._unwritten) >= WRITE_AFTER or time.monotonic() - self._written_at >= WRITE_EVERY:
            self._write()

    def _write(self) -> None:
        outcomes, self._unwritten = self._unwritten, []
        self._written_at = time.monotonic()
        if not outcomes:
            return
        with transaction.atomic():
            commit_without_waiting()
            if kept := write_outcomes(outcomes):
                send_letters(self.claim.endpoint, kept)
                note_health(self.claim.endpoint, kept)

    def _keep_leases(self) -> None:
        """Renew after a third of the lease: what is left outlasts a request that hangs."""
        if time.monotonic() - self._renewed_at < settings.LEASE.total_seconds() / 3:
            return
        self._write()
        self._renewed_at = time.monotonic()
        self._held = still_held(self.claim, settings.LEASE.total_seconds())


class Line:
    """The connection to one endpoint, opened by the first attempt and kept for the next ones."""

    def __init__(self, endpoint: Endpoint):
        self.endpoint = endpoint
        self.dialect = dialect_named(endpoint.dialect)
        self._connection: Connection | None = None

    @cached_property
    def _sender(self) -> Sender:
        return self.dialect.sender(self.endpoint)

    def attempt(self, delivery: Delivery) -> Outcome:
        at, started = timezone.now(), time.monotonic()
        headers, body = self._sender.request(delivery, at)
        try:
            if self._connection is None:
                self._connection = Connection(self.endpoint.url)
            answer = self._connection.post(body, headers, deadline=self.dialect.timeout)
        except OutboundError as error:
            late, delays = isinstance(error, TimedOut), self.dialect.retry_delays
            due_at = next_due(delivery.attempts + 1, at, status=None, timed_out=late, delays=delays)
            return Outcome(delivery, at, time.monotonic() - started, error=str(error), due_at=due_at)
        return judged(delivery, at, answer, delays=self.dialect.retry_delays)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


class MailLine:
    """To a mail address a delivery goes as a letter, which is queued when its outcome is written."""

    def __init__(self, endpoint: Endpoint):
        self.dialect = dialect_named(endpoint.dialect)

    def attempt(self, delivery: Delivery) -> Outcome:
        return Outcome(delivery, timezone.now(), 0, letter=self.dialect.letter(delivery))

    def close(self) -> None: ...


def line_to(endpoint: Endpoint) -> Line | MailLine:
    return MailLine(endpoint) if endpoint.target_type == Endpoint.TargetType.EMAIL else Line(endpoint)


def send_letters(endpoint: Endpoint, outcomes: Sequence[Outcome]) -> None:
    """In the transaction that marks their deliveries done: each goes out once."""
    for outcome in outcomes:
        if outcome.letter is not None:
            send_notice(endpoint.account, endpoint.email, outcome.letter.subject, outcome.letter.text)


def judged(
    delivery: Delivery, at: datetime, answer: Answer, *, delays: Sequence[timedelta] | None = None
) -> Outcome:
    text = answer.body.decode("utf-8", "replace").replace("\0", "")
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(delivery, at, answer.seconds, answer.status, answer=text)
    due_at = None
    if answer.status != HTTPStatus.GONE:
        retry_after = answer.headers.get("retry-after", "")
        tries = delivery.attempts + 1
        due_at = next_due(tries, at, status=answer.status, retry_after=retry_after, delays=delays)
    error = f"The receiver answered {answer.status}"
    if answer.status in REDIRECTS:
        error += "; redirects are not followed, so give the endpoint the final URL"
    return Outcome(delivery, at, answer.seconds, answer.status, error, text, due_at)
