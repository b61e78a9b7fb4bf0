"""What a service that works LinkedIn for an account must be able to do, and what its answers mean.

A provider is asked in two steps: `find` may be repeated at will and ends every trouble that has nothing to do
with this one message; `invite` and `write` are asked once. What they end in says what may happen next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from outreach.models import LinkedInAccount


@dataclass(frozen=True, slots=True)
class Found:
    """Where a message goes: the person's id there, or the chat that goes on."""

    person_id: str = ""
    chat_id: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The provider took it. `provider_id` names the message there, or whom an invitation went to."""

    provider_id: str
    chat_id: str = ""


@dataclass(frozen=True, slots=True)
class Connected:
    """An invitation to somebody who is a connection already."""


@dataclass(frozen=True, slots=True)
class Declined:
    """Not to this person, or not these words: a person has to look at it."""

    words: str


@dataclass(frozen=True, slots=True)
class Locked:
    """The provider refuses the whole account: nothing of it works until somebody has mended that."""

    words: str


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing was taken: it is safe to try again."""

    words: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It was given over and nobody said what became of it: it may have been done."""

    words: str


Failure = Declined | Locked | Later
Outcome = Done | Connected | Failure | Unknown


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as a provider names them; what it does not say is empty."""

    name: str = ""
    person_id: str = ""
    profile_url: str = ""  # in its normal form


@dataclass(frozen=True, slots=True)
class Said:
    """A message that came in, or that the account's owner wrote somewhere else."""

    id: str
    chat_id: str
    text: str
    person: Person  # the other one, whoever spoke
    is_ours: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Related:
    """Somebody has become a connection."""

    person: Person
    at: datetime


News = Said | Related


class Provider(Protocol):
    def find(self, account: LinkedInAccount, profile: str, chat_id: str = "") -> Found | Failure:
        """Look up the person of a profile, or the chat. Changes nothing there."""

    def invite(self, account: LinkedInAccount, found: Found, text: str) -> Outcome: ...

    def write(self, account: LinkedInAccount, found: Found, text: str) -> Outcome: ...

    def status(self, account: LinkedInAccount) -> tuple[bool, str]:
        """Whether the account works there, and the provider's own words."""

    def news(self, account: LinkedInAccount, payload: Mapping[str, Any]) -> News | None:
        """What a call to our hook tells of this account; None where it is nothing to us."""
