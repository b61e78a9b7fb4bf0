"""What a body says about a lead, in the words of the domain's verbs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, time
from typing import Any
from urllib.parse import unquote_plus

from crm.models import ActivityType, Lead, Step
from pipelime.accounts.models import Account, User
from pipelime.api.propipelines.errors import RULES, Refused, not_recognized
from pipelime.api.propipelines.parameters import flag, known_person, listed, read_moment
from pipelime.api.propipelines.resources import as_id
from pipelime.errors import NotFound

DAY, CLOCK = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), re.compile(r"[0-9]{2}:[0-9]{2}")
# A whole description as URLs write it, which some clients send inside JSON, as the document's example does.
ENCODED = re.compile(r"(?=.*%(?:0A|3A))[\w.~*+-]*(?:%[0-9A-F]{2}[\w.~*+-]*)+", re.ASCII | re.IGNORECASE)
CREATABLE = ("title", "description", "tags", "created_at", "step", "user_id")
# Where null and a blank say nothing: what they name cannot be empty.
NEVER_BLANK = frozenset({"title", "status", "step", "created_at"})


def facts_in(body: dict[str, Any], account: Account, *, names: Iterable[str] = (), near: Lead | None = None):
    """The facts that a body gives, of those that may be given. `near` prefers steps of its own pipeline."""
    given = {
        name: body[name] for name in names or READERS if name in body and says_something(name, body[name])
    }
    facts = {}
    for name, value in given.items():
        fact, read = READERS[name]
        facts[fact] = step_named(value, near) if name == "step" else read(value, account)
    return facts


def says_something(name: str, value: Any) -> bool:
    if name == "tags":
        return value is not None
    return not (name in NEVER_BLANK and value in (None, ""))


def as_given(value: Any, account: Account) -> Any:
    return value


def read_description(value: Any, account: Account) -> Any:
    """As sent, unless it was sent as part of a URL."""
    if isinstance(value, str) and ENCODED.fullmatch(value):
        return unquote_plus(value)
    return value


def read_status(value: Any, account: Account) -> str:
    status = str(value).strip().lower()
    if status not in Lead.Status.values:
        raise not_recognized("status")
    return status


def read_day(value: Any, account: Account) -> date | None:
    return strictly(DAY, date.fromisoformat, value)


def read_clock(value: Any, account: Account) -> time | None:
    return strictly(CLOCK, time.fromisoformat, value)


def strictly(form: re.Pattern, read: Callable[[str], Any], value: Any) -> Any:
    """YYYY-MM-DD and HH:MM are the only forms there are."""
    if value in (None, ""):
        return None
    try:
        if form.fullmatch(str(value)):
            return read(str(value))
    except ValueError:
        pass  # such as the 31st of February
    raise Refused(400, *RULES["reminder_format"])


def read_closing(value: Any, account: Account) -> date | None:
    if value in (None, ""):
        return None
    return read_moment(value, "estimated_closing_date", account.zone).astimezone(account.zone).date()


def read_activity_type(value: Any, account: Account) -> ActivityType | None:
    return None if value in (None, "") else activity_type(value, "reminder_activity_id")


def read_tags(value: Any, account: Account) -> list[str]:
    """A list of names, or names separated by commas."""
    if not all(isinstance(name, str | int) for name in (value if isinstance(value, list) else [value])):
        raise not_recognized("tags")
    return listed(value)


def activity_type(value: Any, name: str) -> ActivityType:
    number = as_id(value)
    found = ActivityType.objects.select_related("parent").filter(pk=number).first() if number else None
    if found is None:
        raise not_recognized(name)
    return found


def read_owner(value: Any, account: Account) -> User | None:
    """Null takes the lead away from its owner."""
    return None if value is None else colleague(value)


def colleague(value: Any) -> User:
    """Somebody of the account who can still work, by id or e-mail address."""
    return known_person(value, among=User.objects.active())


def step_named(value: Any, near: Lead | None = None) -> Step:
    """By id, or by name: of several of one name the lead's own pipeline's, or else the default one's."""
    steps = Step.objects.select_related("pipeline")
    number, name = as_id(value), str(value)
    if number and (found := steps.filter(pk=number).first()):
        return found
    named = [] if "\x00" in name else list(steps.filter(name=name))
    if not named:
        raise NotFound("There is no such step")
    own = near.step.pipeline_id if near else None
    return min(named, key=lambda step: (step.pipeline_id != own, not step.pipeline.is_default, step.pk))


# Parameter: (the fact it is to our verbs, how it is read).
READERS: dict[str, tuple[str, Callable[[Any, Account], Any]]] = {
    "title": ("title", as_given),
    "description": ("description", read_description),
    "status": ("status", read_status),
    "remind_date": ("remind_date", read_day),
    "remind_time": ("remind_time", read_clock),
    "reminder_duration": ("reminder_duration", as_given),
    "reminder_activity_id": ("reminder_activity", read_activity_type),
    "reminder_note": ("reminder_note", as_given),
    "amount": ("amount", as_given),
    "probability": ("probability", as_given),
    "starred": ("starred", lambda value, account: flag(value, "starred")),
    "step": ("step", as_given),
    "user_id": ("owner", read_owner),
    "tags": ("tags", read_tags),
    "created_at": ("created_at", lambda value, account: read_moment(value, "created_at", account.zone)),
    "estimated_closing_date": ("estimated_closing_date", read_closing),
}
