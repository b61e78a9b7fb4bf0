"""Events as this vendor's webhooks carry them: both generations of its names, its envelope, its signature."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from pipelime.accounts.models import Account
from pipelime.api.sendpilot import event_bodies
from pipelime.api.sendpilot.event_bodies import LEAD_CHANGED
from pipelime.api.sendpilot.event_rows import Rows
from pipelime.api.sendpilot.ids import written
from pipelime.api.sendpilot.status_changes import EARLIER, change_of
from pipelime.api.sendpilot.statuses import WRITTEN
from pipelime.errors import Invalid
from pipelime.events.models import Event
from webhooks.dialects import Dialect, check_names
from webhooks.models import Delivery, Endpoint

PREFIX = "whsec_"
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
NEED_ROWS = {*EARLIER, "contact.updated"}
# Five attempts in all.
RETRY_DELAYS = [timedelta(seconds=seconds) for seconds in (5, 30, 120, 900)]


def is_told(event: Event, rows: Rows) -> bool:
    """Whether it is one of this vendor's events: an invitation has its own, and only leads have tags."""
    if event.name == "message.sent":
        return event.facts.get("channel") in WRITTEN
    if event.name == "contact.updated":
        return bool(rows.places[event.subject_id])
    return True


def changes_tags(event: Event) -> bool:
    return "tags" in (event.data.get("changes") or {})


class SendPilot(Dialect):
    """An endpoint may ask for names of either generation, and hears each event under one of them.

    What an event makes of a lead's status is an event of its own to the vendor, with a delivery of its own.
    """

    label = "SendPilot"
    retry_delays = RETRY_DELAYS
    timeout = 30.0

    def names_of(self, events: Sequence[Event]) -> list[tuple[str, ...]]:
        ours = [event for event in events if event.name != "contact.updated" or changes_tags(event)]
        rows = Rows([event for event in ours if event.name in NEED_ROWS])
        known = {event.pk: self.told(event, rows) for event in ours if event.name in NAMES}
        return [known.get(event.pk, ()) for event in events]

    def told(self, event: Event, rows: Rows) -> tuple[str, ...]:
        names = NAMES[event.name] if is_told(event, rows) else ()
        if event.name in EARLIER and change_of(event, rows).is_none:
            names = tuple(name for name in names if name not in LEAD_CHANGED)
        return names

    def heard(self, patterns: list[str], names: tuple[str, ...]) -> tuple[str, ...]:
        """The event under its older or its newer name, and likewise what it makes of a lead's status."""
        asked = [name for name in names if name in patterns or "*" in patterns]
        kinds = [[name for name in asked if (name in LEAD_CHANGED) is moved] for moved in (False, True)]
        return tuple(kind[0] for kind in kinds if kind)

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
        """Each event under all of its names: which one an endpoint hears is its own choice."""
        bodies = event_bodies.bodies_of(events, NAMES)
        return [orjson.dumps(body, default=str).decode() for body in bodies]


class Envelope:
    """Written at each attempt from what the event has frozen: the same bytes, under a new signature."""

    def __init__(self, endpoint: Endpoint):
        self._workspace = written(Account, endpoint.account.uid)
        self._secret = endpoint.secret
        self._old = endpoint.old_secret, endpoint.old_secret_until

    def request(self, delivery: Delivery, at: datetime) -> tuple[dict[str, str], bytes]:
        frozen = orjson.loads(delivery.body)
        events = frozen["events"]
        name = delivery.event_name if delivery.event_name in events else next(iter(events))
        body = orjson.dumps(
            {
                "eventId": events[name]["id"],
                "eventType": name,
                "timestamp": frozen["at"],
                "workspaceId": self._workspace,
                "data": events[name]["data"],
            }
        )
        signature = self.signature(body, at, delivery)
        return {"content-type": "application/json", "webhook-signature": signature}, body

    def signature(self, body: bytes, at: datetime, delivery: Delivery) -> str:
        """For a day after a rotation a second one, by the secret before.

        The vendor's own verifier looks at the first, whatever its secret; every other attempt begins with
        the older, so that such a receiver takes each delivery under either secret.
        """
        timestamp = int(at.timestamp())
        signed = [f"s={sign(secret, timestamp, body)}" for secret in self.secrets(at)]
        return ",".join([f"t={timestamp}", *(reversed(signed) if delivery.attempts % 2 else signed)])

    def secrets(self, at: datetime) -> list[str]:
        old, until = self._old
        return [self._secret, old] if old and until and at < until else [self._secret]


def sign(secret: str, timestamp: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d.%s" % (timestamp, body), hashlib.sha256).hexdigest()


dialect = SendPilot()
