"""What can go wrong in the domain. No HTTP here: each API dialect maps these to its own words."""

from __future__ import annotations


class PipelimeError(Exception):
    """Base of every error that a caller can cause and should be told about."""


class NotFound(PipelimeError):
    """The row does not exist, or belongs to another account: callers cannot tell which."""


class NotAllowed(PipelimeError):
    """The caller is known but lacks the right."""


class NotIncluded(NotAllowed):
    """The account's plan lacks what this needs."""


class Suspended(PipelimeError):
    """The account is suspended: nothing is served and nothing is sent."""


class Invalid(PipelimeError):
    """A value breaks a rule of the domain. `field` names it when there is one.

    `fields` maps several fields to their messages, for bodies with more than one fault. `rule` names the
    broken rule where a dialect has words of its own for it.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        fields: dict[str, list[str]] | None = None,
        rule: str = "",
    ):
        super().__init__(message)
        self.field = field
        self.rule = rule
        self.fields = fields or ({field: [message]} if field else {})


class Conflict(PipelimeError):
    """The request clashes with what is stored; `existing` is the uid of that row, `number` its id."""

    def __init__(self, message: str, *, existing: str | None = None, number: int | None = None):
        super().__init__(message)
        self.existing = existing
        self.number = number
