"""What every verb does to a row: check values, set what differs, and tell history what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from pipelime.errors import Conflict, Invalid, NotFound

Row = TypeVar("Row", bound=models.Model)


def only_known(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse names that are no field of `what`, before a typing mistake is taken for a wish."""
    known = sorted(known)
    for name in given:
        if name not in known:
            raise Invalid(f"{name!r} is no field of {what}; it has {', '.join(known)}", field=name)


def checked(model: type[models.Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the columns store them: stripped, of the right type, no longer than the column."""
    clean, wrong = {}, {}
    for name, value in values.items():
        try:
            clean[name] = check_value(model._meta.get_field(name), value)
        except ValidationError as error:
            wrong[name] = error.messages
    if wrong:
        name, messages = next(iter(wrong.items()))
        raise Invalid(f"{name}: {messages[0]}", fields=wrong)
    return clean


def check_value(field: Any, value: Any) -> Any:
    if isinstance(field, models.CharField | models.TextField):
        value = check_text(value, strip=isinstance(field, models.CharField))
    if value in ("", None) and field.null:
        return None
    if field.choices and value not in dict(field.flatchoices):
        known = ", ".join(str(choice) for choice, _ in field.flatchoices)
        raise ValidationError(f"{value!r} is not known; use {known}")
    return field.clean(value, None)


def check_text(value: Any, *, strip: bool) -> str:
    """Text that both databases can store: PostgreSQL refuses NUL, and neither takes half a character."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValidationError(f"must be text, not {type(value).__name__}")
    if "\x00" in value:
        raise ValidationError("holds a NUL character, which cannot be stored")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValidationError("holds half of a surrogate pair, which is no character") from None
    return value.strip() if strip else value


def check_zoned(moment: datetime, *, field: str) -> None:
    """A moment without a time zone could be any of 24 hours."""
    if moment.tzinfo is None:
        raise Invalid(f"{field} needs a time zone, such as 2030-01-31T09:00:00Z", field=field)


def check_belongs(row: models.Model | None, account_id: int, *, field: str) -> None:
    """Rows of other accounts, and deleted ones, look exactly like missing ones."""
    if row is None:
        return
    if row.account_id != account_id or getattr(row, "deleted_at", None) is not None:
        raise Invalid(f"There is no such {row._meta.verbose_name}", field=field)


def check_person(user: Any, account_id: int, *, field: str) -> None:
    """Work is given only to somebody of the account who can still log in."""
    check_belongs(user, account_id, field=field)
    if user is not None and not user.is_active:
        raise Invalid(f"{user.name} is disabled; enable this user first or name another one", field=field)


def owner_given(given: Mapping[str, Any], account_id: int) -> dict[str, Any]:
    """{"owner": …} where one is given; None gives the row to nobody."""
    if "owner" not in given:
        return {}
    check_person(given["owner"], account_id, field="owner")
    return {"owner": given["owner"]}


def reread(row: Row) -> Row:
    """Lock the row and read it anew, so that nothing another transaction wrote is overwritten."""
    manager = type(row)._default_manager
    try:
        row.refresh_from_db(from_queryset=manager.select_for_update(no_key=True))
    except type(row).DoesNotExist:
        raise gone(row) from None
    if getattr(row, "deleted_at", None) is not None:
        raise gone(row)
    return row


def remember(row: models.Model, **related: Iterable[models.Model]) -> None:
    """Let related managers answer with what was just written, instead of asking the database for it."""
    known = row.__dict__.setdefault("_prefetched_objects_cache", {})
    for name, rows in related.items():
        found = getattr(row, name).all()
        found._result_cache, found._prefetch_done = list(rows), True  # noqa: SLF001  as prefetching does it
        known[name] = found


def gone(row: models.Model) -> NotFound:
    return NotFound(f"This {row._meta.verbose_name} does not exist any more")


def assign(row: models.Model, values: Mapping[str, Any]) -> dict[str, list]:
    """Set what differs. Returns {field: [old, new]} in history's words; empty when nothing differs."""
    changes = {}
    for name, new in values.items():
        old = getattr(row, name)
        if old != new:
            changes[name] = [plain(old), plain(new)]
            setattr(row, name, new)
    return changes


def plain(value: Any) -> Any:
    """A value in JSON's types, as snapshots write it."""
    if isinstance(value, models.Model):
        return {"id": str(value.uid), "number": value.pk, "name": str(value)}
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


@contextmanager
def conflict_when_taken(message: str, find: Callable[[], models.Model | None]) -> Iterator[None]:
    """Let the database's unique constraints decide who was first; `find` names the row that was."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        existing = find()
        raise Conflict(
            message,
            existing=str(existing.uid) if existing else None,
            number=existing.pk if existing else None,
        ) from None
