"""Custom fields: their definitions, and the check of the values that records hold for them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from crm.lead_keys import fields_changed
from crm.models import Field
from pipelime.accounts.editions import Feature, require
from pipelime.accounts.models import Account
from pipelime.changing import assign, check_text, checked, conflict_when_taken, only_known, reread
from pipelime.errors import Invalid
from pipelime.events.recording import record

LONGEST_VALUE = 10_000
CHANGEABLE = ("name", "type", "is_key", "position")
# What decides which of the lines of a lead's description say something, and what finds the lead by them.
DERIVING = {"name", "meaning", "is_key"}
ADVANCED = frozenset(meaning for meaning in Field.Meaning.values if meaning.startswith("custom"))
KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
# Templates and imports know these words already: a custom field of the same key would hide them.
RESERVED = frozenset(
    {
        *("id", "email", "emails", "first_name", "last_name", "full_name", "company", "job_title", "phone"),
        *("linkedin_url", "location", "status", "tags", "owner", "created_at", "updated_at"),
        *("custom", "custom_fields", "sender", "unsubscribe_url", "postal_address"),
    }
)


@transaction.atomic
def create_field(
    account: Account,
    *,
    by,
    kind: str,
    name: str,
    type: str | None = None,  # noqa: A002  the word of every caller
    is_key: bool = False,
    key: str | None = None,
    meaning: str = "",
) -> Field:
    """Define a field. Its key, by which values are stored and templates ask, is made from the name.

    `meaning` is what it stands for, whatever its name; the type follows from it when none is given.
    """
    meaning = check_meaning(account, meaning)
    type = type or type_of(meaning)  # noqa: A001
    values = checked(Field, {"kind": kind, "name": name, "type": type, "is_key": is_key})
    check_fits(values["type"], meaning)
    values["meaning"] = meaning
    values["key"] = check_key(key if key is not None else key_of(values["name"]), kind=kind)
    last = Field.objects.filter(kind=kind).aggregate(last=Max("position"))["last"] or 0
    with taken(kind, values["name"], values["key"]):
        field = Field.objects.create(account=account, position=last + 1, **values)
    record("field.created", field, by=by)
    derive_again(field)
    return field


@transaction.atomic
def update_field(field: Field, *, by, **changes: Any) -> Field:
    """The key and the kind stay: stored values and templates rely on them."""
    only_known("a field definition", changes, (*CHANGEABLE, "meaning"))
    values = checked(Field, {name: changes[name] for name in CHANGEABLE if name in changes})
    reread(field)
    if "meaning" in changes:
        values |= meant(field, changes["meaning"], values)
    changed = assign(field, values)
    if changed:
        check_fits(field.type, field.meaning)
        with taken(field.kind, field.name, field.key):
            field.save(update_fields=[*changed, "updated_at"])
        record("field.updated", field, by=by, changes=changed)
        if DERIVING & set(changed):
            derive_again(field)
    return field


@transaction.atomic
def delete_field(field: Field, *, by) -> None:
    """Values that records hold stay where they are, out of sight; defining the key again shows them."""
    record("field.deleted", reread(field), by=by)
    field.delete()
    derive_again(field)


def check_custom_fields(account: Account, kind: str, values: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values as they are stored. None and "" stand for "no value" and come back as None."""
    if not values:
        return {}
    if not isinstance(values, Mapping):
        raise Invalid('custom_fields is an object such as {"budget": "5000"}', field="custom_fields")
    types = dict(Field.objects.filter(kind=kind).values_list("key", "type"))
    for key in values:
        if key not in types:
            known = ", ".join(sorted(types)) or "none; define it first"
            raise Invalid(
                f"{key!r} is no custom field of a {kind}; known are: {known}", field="custom_fields"
            )
    return {key: check_value(key, types[key], value) for key, value in values.items()}


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Checked values laid over the stored ones; None takes a value away."""
    return {key: value for key, value in {**old, **new}.items() if value is not None}


def check_value(key: str, kind: str, value: Any) -> Any:
    try:
        if value is None or value == "":
            return None
        if isinstance(value, str):
            value = check_text(value, strip=True)
        elif not isinstance(value, bool | int | float) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            raise ValidationError("must be a text, a number or true or false")
        if len(str(value)) > LONGEST_VALUE:
            raise ValidationError(f"has over {LONGEST_VALUE} characters")
        return READERS.get(kind, lambda value: value)(value)
    except ValidationError as error:
        raise Invalid(f"{key}: {error.messages[0]}", field="custom_fields") from None


def number(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        read = float(str(value))
    except ValueError:
        read = math.nan
    if not math.isfinite(read):
        raise ValidationError(f"{value!r} is no number; write one such as 12.5")
    return int(read) if read.is_integer() and "e" not in str(value).lower() else read


def day(value: Any) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValidationError(f"{value!r} is no date; write one such as 2030-01-31") from None


TYPES = {"email": "email", "phone": "phone", "mobile": "phone", "fax": "phone", "web": "url"}


def type_of(meaning: str) -> str:
    """How the values of a field that stands for this are written."""
    return TYPES.get(meaning, "text")


def check_meaning(account: Account, meaning: str) -> str:
    if meaning in ("", None):
        return ""
    meaning = checked(Field, {"meaning": meaning})["meaning"]
    if meaning in ADVANCED:
        require(account, Feature.CUSTOM_MEANINGS)
    return meaning


def check_fits(type: str, meaning: str) -> None:  # noqa: A002
    """An e-mail address is no number: a meaning that is written in one way only allows that type, or text."""
    if type not in ("text", type_of(meaning)) and meaning in TYPES:
        raise Invalid(
            f"type: a field that stands for {meaning} is of the type {type_of(meaning)}, not {type}",
            field="type",
        )


def meant(field: Field, meaning: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The new meaning, and the type that follows from it where the old type followed from the old one."""
    meaning = meaning or ""
    if meaning == field.meaning:
        return {}
    follows = "type" not in values and field.type == type_of(field.meaning)
    meaning = check_meaning(field.account, meaning)
    return {"meaning": meaning} | ({"type": type_of(meaning)} if follows else {})


def derive_again(field: Field) -> None:
    """What descriptions of leads say hangs on the account's definitions of their fields."""
    if field.kind == Field.Kind.LEAD:
        fields_changed(field.account_id)


READERS = {Field.Type.NUMBER.value: number, Field.Type.DATE.value: day}


def key_of(name: str) -> str:
    """ "Date de création" becomes date_de_creation."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "_", ascii_name).strip("_")[:60].rstrip("_")
    return key if key[:1].isalpha() else f"field_{key}".rstrip("_")


def check_key(key: str, *, kind: str) -> str:
    if not KEY.fullmatch(key):
        raise Invalid(
            f"key: {key!r} must be lower-case letters, digits and _, such as budget_2030", field="key"
        )
    if kind == Field.Kind.CONTACT and key in RESERVED:
        raise Invalid(f"key: {key!r} is a built-in field already; choose another name", field="key")
    return key


def taken(kind: str, name: str, key: str):
    same_kind = Field.objects.filter(kind=kind)
    return conflict_when_taken(
        f"A {kind} field named {name!r} or with the key {key!r} exists already",
        lambda: same_kind.filter(name=name).first() or same_kind.filter(key=key).first(),
    )
