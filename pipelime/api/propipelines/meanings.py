"""What the texts of leads and client folders say, by what their fields stand for."""

from __future__ import annotations

from collections.abc import Iterable

from crm import descriptions
from crm.models import Field

# What is always told, found or not; other meanings where the account has defined a field for them.
LEAD = (
    "email", "phone", "mobile", "address", "web", "first_name", "last_name", "full_name", "job", "fax", "vat",
)  # fmt: skip
CLIENT = (*LEAD, "city", "zipcode", "state", "country")


def by_meaning(text: str, fields: Iterable[Field], always: Iterable[str]) -> dict[str, str | None]:
    fields = list(fields)
    told = dict.fromkeys((*always, *(field.meaning for field in fields if field.meaning)))
    return {**told, **descriptions.by_meaning(text, fields)}
