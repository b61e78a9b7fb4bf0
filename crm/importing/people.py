"""From the cells of a record to clean values, or the reason why they cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm.fields import check_value
from crm.formulas import unguard
from crm.importing.formats import Record
from crm.importing.mapping import CUSTOM
from crm.importing.outcomes import Rejected
from crm.importing.values import (
    LIMITS,
    clean_email,
    clean_linkedin,
    clean_phone,
    clean_text,
    email_key,
    shown,
    split_full_name,
    split_tags,
)
from crm.models import Company
from pipelime.errors import Invalid

TEXTS = ("first_name", "last_name", "job_title", "phone", "linkedin_url", "location")
MOST_TAGS = 100
MOST_ADDRESSES = 50
_SEVERAL = re.compile(r"[,;\s]+")


class Person:
    """One record as the CRM would keep it. `values` holds the columns that the file fills."""

    __slots__ = (
        "cells",
        "company",
        "company_key",
        "custom",
        "emails",
        "line",
        "number",
        "tags",
        "values",
        "words",
    )

    def __init__(self, record: Record) -> None:
        self.number, self.line, self.cells = record
        self.values: dict[str, Any] = {}
        self.emails: dict[str, str] = {}  # key: address
        self.company = self.company_key = ""
        self.tags: dict[str, str] = {}  # key: name
        self.custom: dict[str, Any] = {}
        self.words: list[str] = []  # what later records of the file are compared with

    @property
    def email_key(self) -> str:
        return next(iter(self.emails), "")

    @property
    def linkedin(self) -> str:
        return self.values.get("linkedin_url", "")

    @property
    def traits(self) -> tuple[str, str, str, str]:
        """What tells people apart who have neither an address nor a LinkedIn page."""
        values = self.values
        return (
            values.get("first_name", ""), values.get("last_name", ""), values.get("phone", ""),
            self.company_key,
        )  # fmt: skip


Reading = Callable[[Person, str, str], None]


class Reader:
    """Reads records by a mapping. The plan is made once, since every cell of the file goes through it."""

    def __init__(
        self,
        header: Sequence[str],
        mapping: Mapping[str, str | None],
        types: Mapping[str, str],
        further: Mapping[str, Reading] | None = None,
    ) -> None:
        """`types` are those of the custom fields by key, `further` how a kind reads fields of its own."""
        columns = [(at, name, mapping.get(name)) for at, name in enumerate(header)]
        plan = [
            (at, name, field, reading(field, types, further or {})) for at, name, field in columns if field
        ]
        # The main address comes before further ones, and a telephone before a mobile one.
        plan.sort(key=lambda part: LATER.get(part[2], 0))
        self.plan = [(at, name, read) for at, name, _, read in plan]

    def read(self, record: Record) -> Person:
        person, cells = Person(record), record.cells
        for at, name, read in self.plan:
            cell = cells[at]
            if cell[:1] == "'":
                cell = unguard(cell)
            if text := cell.strip():
                try:
                    read(person, text, name)
                except ValueError as error:
                    raise Rejected(str(error), name) from None
        return person


LATER = {"email_2": 1, "mobile": 1, "full_name": 1}


def reading(field: str, types: Mapping[str, str], further: Mapping[str, Reading]) -> Reading:
    """How one column is read."""
    if field in further:
        return further[field]
    if field.startswith(CUSTOM):
        return custom_reading(field.removeprefix(CUSTOM), types)
    if field in READINGS:
        return READINGS[field]
    return cleaned(field, CLEANERS.get(field) or length_checked(LIMITS[field]))


def cleaned(field: str, clean: Callable[[str], Any]) -> Reading:
    def read(person: Person, text: str, column: str) -> None:
        person.values[field] = clean(text)

    return read


def length_checked(limit: int) -> Callable[[str], str]:
    return lambda text: text if len(text) <= limit else clean_text(text, limit)


def custom_reading(key: str, types: Mapping[str, str]) -> Reading:
    def read(person: Person, text: str, column: str) -> None:
        try:
            person.custom[key] = check_value(key, types[key], text)
        except Invalid as error:
            raise ValueError(str(error)) from None

    return read


def read_email(person: Person, text: str, column: str) -> None:
    address = clean_email(text)
    person.emails.setdefault(email_key(address), address)


def read_further_emails(person: Person, text: str, column: str) -> None:
    for part in _SEVERAL.split(text):
        if part:
            read_email(person, part, column)
    if len(person.emails) > MOST_ADDRESSES:
        raise ValueError(
            f"{len(person.emails)} addresses are too many; a contact has at most {MOST_ADDRESSES}"
        )


def read_full_name(person: Person, text: str, column: str) -> None:
    first, last = split_full_name(clean_text(text, LIMITS["full_name"]))
    for field, part in (("first_name", first), ("last_name", last)):
        if part:
            person.values.setdefault(field, clean_text(part, LIMITS[field]))


def read_mobile(person: Person, text: str, column: str) -> None:
    """A contact has one number: the mobile one where there is no other."""
    if "phone" not in person.values:
        person.values["phone"] = clean_phone(text)


def read_location(person: Person, text: str, column: str) -> None:
    """Street, city and country may be columns of their own."""
    known = person.values.get("location")
    person.values["location"] = clean_text(f"{known}, {text}" if known else text, LIMITS["location"])


def read_company(person: Person, text: str, column: str) -> None:
    person.company = clean_text(text, LIMITS["company"])
    person.company_key = Company.key_of(person.company)


def read_tags(person: Person, text: str, column: str) -> None:
    for tag in split_tags(text):
        person.tags.setdefault(tag.casefold(), tag)
    if len(person.tags) > MOST_TAGS:
        raise ValueError(
            f"{shown(text)} holds {len(person.tags)} tags; at most {MOST_TAGS} fit on one record"
        )


CLEANERS: dict[str, Callable[[str], str]] = {"phone": clean_phone, "linkedin_url": clean_linkedin}
READINGS: dict[str, Reading] = {
    "email": read_email,
    "email_2": read_further_emails,
    "full_name": read_full_name,
    "mobile": read_mobile,
    "location": read_location,
    "company": read_company,
    "tags": read_tags,
}
