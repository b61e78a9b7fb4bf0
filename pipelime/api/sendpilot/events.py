"""Events as this vendor's webhooks carry them: both generations of its names, its envelope, its signature."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from outreach.models import SequenceStep
from pipelime.accounts.models import Account
from pipelime.api.sendpilot import event_bodies, statuses
from pipelime.api.sendpilot.ids import written
from pipelime.errors import Invalid
from pipelime.events.models import Event
from webhooks.dialects import Dialect, check_names
from webhooks.models import Delivery, Endpoint

PREFIX = "whsec_"
LEAD_CHANGED = ("lead.status.changed", "lead.updated")
# Ours -> the older name, which is the usual one, the newer one, and those of what follows from it.
NAMES: dict[str, tuple[str, ...]] = {
    "message.sent": ("message.sent", *LEAD_CHANGED),
    "message.replied": ("message.received", "reply.received", *LEAD_CHANGED),
    "connection.sent": ("connection.sent", "connection_request.sent", *LEAD_CHANGED),
    "connection.accepted": ("connection.accepted", "connection_request.accepted", *LEAD_CHANGED),
    "enrolment.status_changed": LEAD_CHANGED,
    "campaign.started": ("campaign.started",),
    "campaign.paused": ("campaign.paused",),
    "campaign.resumed": ("campaign.resumed",),
    "campaign.finished": ("campaign.finished",),
    "contact.updated": ("lead.tag.updated",),
    "contact_search.completed": ("lead_database.search.completed",),
    "endpoint.tested": ("webhook.test",),
}
# The last one is known and never happens: nothing is scraped here.
KNOWN = {name for names in NAMES.values() for name in names} - {"webhook.test"} | {
    "lead_extractor.job.completed"
}
# Five attempts in all.
RETRY_DELAYS = [timedelta(seconds=seconds) for seconds in (5, 30, 120, 900)]


def moves_lead(event: Event) -> bool:
    """Whether the vendor would say that a lead's status has changed: an answer has its own event already."""
    if "intent" in (event.data.get("changes") or {}) or "note" in event.data:
        return True
    facts = event.facts
    return facts.get("status") in statuses.ENDED and facts.get("reason") not in ("replied", "done")


def is_written(event: Event) -> bool:
    """An invitation has an event of its own."""
    return event.facts.get("channel") in WRITTEN


def changes_tags(event: Event) -> bool:
    return "tags" in (event.data.get("changes") or {})


WRITTEN = (SequenceStep.Channel.EMAIL, SequenceStep.Channel.LINKEDIN_MESSAGE)
CONCERNS = {
    "enrolment.status_changed": moves_lead,
    "message.sent": is_written,
    "contact.updated": changes_tags,
}


class SendPilot(Dialect):
    """An endpoint may ask for names of either generation, and hears each event once."""

    label = "SendPilot"
    retry_delays = RETRY_DELAYS
    timeout = 30.0

    def names(self, event: Event) -> tuple[str, ...]:
        names = NAMES.get(event.name, ())
        asked = CONCERNS.get(event.name)
        return names if asked is None or asked(event) else ()

    def heard(self, patterns: list[str], names: tuple[str, ...]) -> str | None:
        return next((name for name in names if name in patterns or "*" in patterns), None)

    def check_events(self, account: Account, events: Sequence[str]) -> list[str]:
        names = check_names(events)
        if wrong := [name for name in names if name not in KNOWN and name != "*"]:
            raise Invalid(
                f'{wrong[0]!r} is no event of SendPilot; use {", ".join(sorted(KNOWN))}, or "*" for all',
                field="events",
            )
        return names

    def new_secret(self) -> str:
        return PREFIX + secrets.token_hex(32)

    def sender(self, endpoint: Endpoint) -> Envelope:
        return Envelope(endpoint)

    def render(self, events: Sequence[Event], target_type: str) -> list[str]:
        """{name: data} of each event: which name an endpoint hears is its own choice."""
        bodies = event_bodies.bodies_of(events, {event.pk: self.names(event) for event in events})
        return [orjson.dumps(body, default=str).decode() for body in bodies]


class Envelope:
    """Written at each attempt from what the event has frozen: the same bytes, under a new signature."""

    def __init__(self, endpoint: Endpoint):
        self._workspace = written(Account, endpoint.account.uid)
        self._secret = endpoint.secret
        self._old = endpoint.old_secret, endpoint.old_secret_until

    def request(self, delivery: Delivery, at: datetime) -> tuple[dict[str, str], bytes]:
        frozen = orjson.loads(delivery.body)
        name = delivery.event_name if delivery.event_name in frozen["data"] else next(iter(frozen["data"]))
        body = orjson.dumps(
            {
                "eventId": frozen["id"],
                "eventType": name,
                "timestamp": frozen["at"],
                "workspaceId": self._workspace,
                "data": frozen["data"][name],
            }
        )
        return {"content-type": "application/json", "webhook-signature": self.signature(body, at)}, body

    def signature(self, body: bytes, at: datetime) -> str:
        """For a day after a rotation a second one, by the secret before."""
        timestamp = int(at.timestamp())
        signed = [f"s={sign(secret, timestamp, body)}" for secret in self.secrets(at)]
        return ",".join([f"t={timestamp}", *signed])

    def secrets(self, at: datetime) -> list[str]:
        old, until = self._old
        return [self._secret, old] if old and until and at < until else [self._secret]


def sign(secret: str, timestamp: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d.%s" % (timestamp, body), hashlib.sha256).hexdigest()


dialect = SendPilot()
