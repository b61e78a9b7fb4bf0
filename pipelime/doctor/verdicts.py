"""One sentence about one thing: well, worth knowing, or to be mended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pipelime.scope import every_account


@dataclass(frozen=True, slots=True)
class Verdict:
    """`level` is ok, warning or failure; a failure's sentence says what to do."""

    level: str
    sentence: str

    @property
    def failed(self) -> bool:
        return self.level == "failure"


def ok(sentence: str) -> Verdict:
    return Verdict("ok", sentence)


def warning(sentence: str) -> Verdict:
    return Verdict("warning", sentence)


def failure(sentence: str) -> Verdict:
    return Verdict("failure", sentence)


Check = Callable[[], Iterable[Verdict]]


def examine(checks: Iterable[Check]) -> Iterator[Verdict]:
    """Each check on its own: one that breaks is a failure too, and keeps no other from being made."""
    for check in checks:
        try:
            with every_account():
                yield from list(check())
        except Exception as error:  # noqa: BLE001  whatever it is, the operator should read it
            name = check.__name__.replace("_", " ")
            yield failure(f"The check of {name} broke off with {type(error).__name__}: {error}")
