"""What a lead's description says in lines such as `Email: a@b.c`, by the account's own field names."""

from __future__ import annotations

from collections.abc import Iterable

from crm.fields import key_of
from crm.importing.values import clean_email, split_full_name
from crm.models import Contact, Field

# The keys of a new account's lead fields, and the column of a contact that takes each.
CONTACT_COLUMNS = {"firstname": "first_name", "lastname": "last_name", "phone": "phone", "job": "job_title"}


def parse(description: str, fields: Iterable[Field]) -> dict[str, str]:
    """{key: text} of the lines that begin with a field's name; the first line that says something wins."""
    keys = {field.name.casefold(): field.key for field in fields}
    found: dict[str, str] = {}
    for line in description.splitlines():
        name, colon, text = line.partition(":")
        key = keys.get(name.strip().casefold())
        if colon and key and text.strip():
            found.setdefault(key, text.strip())
    return found


def lead_fields() -> list[Field]:
    return list(Field.objects.filter(kind=Field.Kind.LEAD))


def person_in(description: str, fields: list[Field] | None = None) -> dict[str, str]:
    """Columns of the contact whom the description names, `email` among them; {} when it names nobody."""
    if ":" not in description:
        return {}
    fields = lead_fields() if fields is None else fields
    found = parse(description, fields)
    email = next((valid for field in fields if (valid := address_in(field, found))), None)
    if email is None:
        return {}
    person = {column: found[key] for key, column in CONTACT_COLUMNS.items() if key in found}
    if "first_name" not in person and "last_name" not in person and (full := found.get(key_of("Full name"))):
        person["first_name"], person["last_name"] = split_full_name(full)
    if "phone" not in person and "mobile" in found:
        person["phone"] = found["mobile"]
    fitting = {column: text[: Contact._meta.get_field(column).max_length] for column, text in person.items()}
    return {"email": email, **fitting}


def address_in(field: Field, found: dict[str, str]) -> str | None:
    """The address that an e-mail field holds, if it is one: a description is free text, not a form."""
    if field.type != Field.Type.EMAIL or field.key not in found:
        return None
    try:
        return clean_email(found[field.key])
    except ValueError:
        return None
