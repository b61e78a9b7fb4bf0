"""Which column goes into which field: what is proposed, and what a person may choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.importing.headers import REPEATABLE, propose
from crm.models import Field
from pipelime.errors import Invalid

CUSTOM = "custom."
_PERSON = (
    "email", "email_2", "first_name", "last_name", "full_name", "job_title", "phone", "mobile",
    "linkedin_url",
)  # fmt: skip
FIELDS = {
    "contacts": (*_PERSON, "company", "location", "tags"),
    "companies": ("name", "domain", "description"),
    "leads": ("title", "description", "amount", "step", "status", "company", "tags", *_PERSON),
}
IDENTIFYING = {
    "contacts": {
        "email",
        "email_2",
        "first_name",
        "last_name",
        "full_name",
        "phone",
        "mobile",
        "linkedin_url",
    },
    "companies": {"name"},
    "leads": {"title"},
}
FIELD_KIND = {"contacts": Field.Kind.CONTACT, "companies": Field.Kind.COMPANY, "leads": Field.Kind.LEAD}
WHAT_IDENTIFIES = {
    "contacts": "a person: an e-mail address, a name, a phone number or a LinkedIn page",
    "companies": "a company: its name",
    "leads": "a lead: its title",
}

Mapped = dict[str, str | None]


def proposed(kind: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Mapped:
    """A field for each column; None for those that say nothing we keep."""
    customs = dict(Field.objects.filter(kind=FIELD_KIND[kind]).values_list("key", "name"))
    guesses = propose(header, customs, kind=kind, rows=rows)  # type: ignore[arg-type]
    known = {*FIELDS[kind], *(CUSTOM + key for key in customs)}
    return {name: field if field in known else None for name, field in guesses.items()}


def check_fields(kind: str, mapping: Mapping[str, Any] | None) -> None:
    """Refuse fields that do not exist, two columns for one field, and a mapping that identifies nobody."""
    if mapping is None:
        return
    if not isinstance(mapping, Mapping):
        raise invalid('mapping is an object of header and field, such as {"E-Mail": "email", "Fax": null}')
    fields = [(str(header), blank_is_none(field)) for header, field in mapping.items()]
    customs = set(Field.objects.filter(kind=FIELD_KIND[kind]).values_list("key", flat=True))
    taken: dict[str, str] = {}
    for header, field in fields:
        if field is None:
            continue
        check_field(kind, header, field, customs)
        if field in taken and field not in REPEATABLE:
            raise invalid(
                f"{taken[field]!r} and {header!r} are both mapped to {field}; leave one of them out"
            )
        taken[field] = header
    check_identifies(kind, taken)


def check_field(kind: str, header: str, field: Any, customs: set[str]) -> None:
    if not isinstance(field, str):
        raise invalid(f"{header!r} is mapped to {field!r}, which is no field; write its name or null")
    if field.startswith(CUSTOM):
        if field.removeprefix(CUSTOM) not in customs:
            known = ", ".join(CUSTOM + key for key in sorted(customs)) or "none; define it first"
            raise invalid(
                f"{header!r} is mapped to {field}, which is not defined; custom fields are: {known}"
            )
    elif field not in FIELDS[kind]:
        known = ", ".join(FIELDS[kind])
        raise invalid(
            f"{header!r} is mapped to {field!r}, which is no field; use {known}, custom.KEY or null"
        )


def check_identifies(kind: str, fields: Mapping[str, Any]) -> None:
    if not IDENTIFYING[kind].intersection(fields):
        wanted = ", ".join(sorted(IDENTIFYING[kind]))
        raise invalid(f"No column identifies {WHAT_IDENTIFIES[kind]}. Map at least one column to {wanted}")


def completed(kind: str, header: Sequence[str], mapping: Mapping[str, Any]) -> Mapped:
    """The mapping that a person chose, for every column; those that it does not name are left out."""
    check_fields(kind, mapping)
    names = {plain(name): name for name in header}
    chosen: Mapped = dict.fromkeys(header)
    for name, field in mapping.items():
        if (column := names.get(plain(str(name)))) is None:
            raise invalid(f"The file has no column {name!r}; its columns are {', '.join(header)}")
        chosen[column] = blank_is_none(field)
    return chosen


def blank_is_none(field: Any) -> Any:
    return None if field == "" else field


def plain(word: str) -> str:
    return " ".join(word.split()).casefold()


def invalid(message: str) -> Invalid:
    return Invalid(message, field="mapping")
