"""What a client says about a lead, as a person: the vendor's words, and fields of any other name."""

from __future__ import annotations

from typing import Any

from crm.importing.values import clean_linkedin
from outreach.adding import Person
from pipelime.errors import Invalid

TEXTS = {"firstName": "first_name", "lastName": "last_name", "title": "job_title", "email": "email",
         "phone": "phone", "location": "location", "company": "company"}  # fmt: skip
OTHERS = {"linkedinUrl", "customFields"}
MOST_FIELDS = 50


def person_in(given: Any) -> Person:
    """Raises Invalid for what is no lead. Custom fields may be nested, or stand beside the others."""
    if not isinstance(given, dict):
        raise Invalid("each lead must be an object with a linkedinUrl")
    try:
        facts: dict[str, Any] = {
            "linkedin_url": clean_linkedin(text_of("linkedinUrl", given.get("linkedinUrl")))
        }
    except ValueError as error:
        raise Invalid(f"linkedinUrl: {error}", field="linkedinUrl") from None
    for name, ours in TEXTS.items():
        if given.get(name) not in (None, ""):
            facts[ours] = text_of(name, given[name])
    return Person(facts, own_fields(given))


def text_of(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{name} must be a string", field=name)
    return value.strip()


def own_fields(given: dict[str, Any]) -> dict[str, Any]:
    nested = given.get("customFields") or {}
    if not isinstance(nested, dict):
        raise Invalid("customFields must be an object", field="customFields")
    flat = {name: value for name, value in given.items() if name not in {*TEXTS, *OTHERS}}
    own = {name: value for name, value in {**flat, **nested}.items() if value not in (None, "")}
    if len(own) > MOST_FIELDS:
        raise Invalid(f"{len(own)} custom fields; at most {MOST_FIELDS}", field="customFields")
    for name, value in own.items():
        if not isinstance(value, str | int | float):
            raise Invalid(f"{name} must be a string or a number", field=name)
    return own
