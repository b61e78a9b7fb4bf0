"""What a check found, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from outreach.deliverability.lookups import Unanswered

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`found` is the record as it stands, or what came instead; `advice` is empty where all is well."""

    check: str
    level: Level
    found: str
    advice: str = ""

    def as_json(self) -> dict[str, str]:
        return {"check": self.check, "level": self.level, "found": self.found, "advice": self.advice}


def asked(check: str, question: Callable[[], Finding]) -> Finding:
    """The finding; a name server that does not answer proves nothing, so it is a warning."""
    try:
        return question()
    except Unanswered as silence:
        advice = (
            f"{check.upper()} could not be asked about just now. Nothing is wrong yet: check again later."
        )
        return Finding(check, "warning", f"no answer: {silence}", advice)


def tags(record: str) -> dict[str, str]:
    """`v=DKIM1; k=rsa; p=…` as {"v": "DKIM1", …}: the form that DKIM and DMARC records share."""
    pairs = (part.partition("=") for part in record.split(";") if "=" in part)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
