"""What an endpoint's dialect decides: its names for our events, its bodies, its signature, its pauses.

The dialects themselves belong to the APIs above, which are named in the settings.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from pipelime.accounts.models import Account
from pipelime.errors import Invalid
from pipelime.events.models import Event
from pipelime.events.names import matches, unknown
from webhooks.models import Delivery, Endpoint
from webhooks.signing import Signer, new_secret

PATTERNS_AT_MOST = 100
Choice = tuple[str, list[tuple[str, str]]]


class Letter(NamedTuple):
    """A delivery as a mail."""

    subject: str
    text: str


class Sender(Protocol):
    """Writes the requests to one endpoint, whose secrets it has read once."""

    def request(self, delivery: Delivery, at: datetime) -> tuple[dict[str, str], bytes]:
        """The headers and the body of the attempt that begins now."""


class Dialect(ABC):
    """As our own words and Standard Webhooks have it; what a dialect has otherwise, it overrides."""

    label = "Standard Webhooks"
    targets: tuple[str, ...] = (Endpoint.TargetType.URL,)
    triggered = "lead.triggered"  # what it calls an event that a person sets off by hand
    once_a_save: frozenset[str] = frozenset()  # names that the first event of a save tells for all of them
    is_once = False  # whether an endpoint has one event, which goes to the same target once only
    retry_delays: Sequence[timedelta] | None = None  # the installation's
    timeout: float | None = None  # seconds that a receiver may take; the installation's

    def names(self, event: Event) -> tuple[str, ...]:
        """What this event is called: nothing, one name, or several from the general to the special."""
        return (event.name,)

    def names_of(self, events: Sequence[Event]) -> list[tuple[str, ...]]:
        """The same of a batch, for dialects that must read rows to know."""
        return [self.names(event) for event in events]

    def heard(self, patterns: list[str], names: tuple[str, ...]) -> tuple[str, ...]:
        """The names under which an endpoint that asked for `patterns` hears an event of these names.

        One, unless the dialect makes several events of it: each has a delivery of its own.
        """
        return tuple(name for name in names if matches(name, patterns))[:1]

    def check_events(self, account: Account, events: Sequence[str]) -> list[str]:
        """What an endpoint may ask for, or Invalid."""
        names = check_names(events)
        if wrong := unknown(names):
            raise Invalid(
                f'{wrong[0]!r} is no event; use a name such as "contact.created", "lead.*" for all of a '
                'kind, or "*" for everything',
                field="events",
            )
        return names

    def choices(self, account: Account) -> list[Choice]:
        """Names to choose one of, in groups, where an endpoint has one event."""
        return []

    def new_secret(self) -> str:
        return new_secret()

    def sender(self, endpoint: Endpoint) -> Sender:
        return Signer(endpoint)

    @abstractmethod
    def render(self, events: Sequence[Event], target_type: str) -> list[str]:
        """What of each event is frozen now. The number of queries does not depend on how many there are."""

    def letter(self, delivery: Delivery) -> Letter:
        """For targets that are mail addresses."""
        return Letter(delivery.event_name, delivery.body)


def dialect_named(name: str) -> Dialect:
    if name not in settings.WEBHOOK_DIALECTS:
        known = ", ".join(sorted(settings.WEBHOOK_DIALECTS))
        raise Invalid(f"{name!r} is no dialect of webhooks; use one of: {known}", field="dialect")
    return dialect_at(settings.WEBHOOK_DIALECTS[name])


@cache
def dialect_at(path: str) -> Dialect:
    found: Dialect = import_string(path)
    return found


def check_names(events: Sequence[str]) -> list[str]:
    """Each name once, in the order given."""
    if not isinstance(events, list | tuple) or not all(isinstance(name, str) for name in events):
        raise Invalid('Events are a list of names, such as ["contact.created", "lead.*"]', field="events")
    names = list(dict.fromkeys(events))
    if not names:
        raise Invalid('Name at least one event, or ["*"] for all', field="events")
    if len(names) > PATTERNS_AT_MOST:
        raise Invalid(f'More than {PATTERNS_AT_MOST} events; use patterns such as "lead.*"', field="events")
    return names
