"""What a description says in lines such as `Email: a@b.c`, by the account's own names of fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile

from crm.html import html_of_lines, is_html, is_separator, text_of
from crm.importing.values import clean_email, email_key, split_full_name, word_key
from crm.models import Contact, Field

SEPARATOR = "---"
MOST_ADDRESSES = 500  # in one text; a longer one is a mailing list, not a conversation
LONGEST_ADDRESS = 320
LONGEST_NAME = 400  # characters of a line that are looked at for the name of a field

# The column of a contact that takes each meaning.
CONTACT_COLUMNS = {
    Field.Meaning.FIRST_NAME: "first_name",
    Field.Meaning.LAST_NAME: "last_name",
    Field.Meaning.PHONE: "phone",
    Field.Meaning.JOB: "job_title",
}
_COLON = re.compile("[:：]")
_BLANKS = " \t\xa0\u202f\u3000"
# What stands around an address in a text; each character is read once.
_WORD = re.compile(r"""[^\s<>()\[\]{}|",;:/\\?=&*`…–—«»“”„，。、；：！（）【】「」]+""")
_AROUND = ".'’‘!"


def lead_fields() -> list[Field]:
    return list(Field.objects.filter(kind=Field.Kind.LEAD))


def company_fields() -> list[Field]:
    return list(Field.objects.filter(kind=Field.Kind.COMPANY))


def has_lines(text: str) -> bool:
    """Whether the text can name a field at all: if not, nobody needs to read the definitions."""
    return _COLON.search(text) is not None


def facts_in(text: str, fields: Iterable[Field]) -> list[tuple[Field, str]]:
    """(field, value) of each line that begins with the name of a field and says something, in their order."""
    known = {word_key(field.name): field for field in reversed(list(fields))}
    if not known or not has_lines(text):
        return []
    return [fact for line in fact_lines(text) if (fact := fact_in(line, known))]


def fact_lines(text: str) -> Iterator[str]:
    """The lines before the separator: what follows it is free text."""
    return takewhile(lambda line: not is_separator(line), text_of(text).splitlines())


def fact_in(line: str, known: dict[str, Field]) -> tuple[Field, str] | None:
    colon = _COLON.search(line, 0, LONGEST_NAME)
    field = known.get(word_key(line[: colon.start()])) if colon else None
    if colon is None or field is None:
        return None
    value = line[colon.end() :].lstrip(_BLANKS)
    return (field, value) if value.strip() else None


def by_meaning(text: str, fields: Iterable[Field]) -> dict[str, str]:
    """{meaning: value} of what the text says; the first line of a meaning wins."""
    found: dict[str, str] = {}
    for field, value in facts_in(text, fields):
        if field.meaning:
            found.setdefault(field.meaning, value)
    return found


def by_name(text: str, fields: Iterable[Field]) -> dict[str, str]:
    """{name: value} of what the text says, under the names as the account writes them."""
    found: dict[str, str] = {}
    for field, value in facts_in(text, fields):
        found.setdefault(field.name, value)
    return found


def emails_in(text: str) -> list[str]:
    """Every address anywhere in a text, each once, in its first spelling."""
    words = (word[0] for word in _WORD.finditer(text)) if "@" in text else iter(())
    likely = (word.strip(_AROUND) for word in words if "@" in word and len(word) <= LONGEST_ADDRESS)
    candidates = islice(dict.fromkeys(word for word in likely if is_likely(word)), MOST_ADDRESSES)
    found: dict[str, str] = {}
    for address in candidates:
        if valid := valid_address(address):
            found.setdefault(email_key(valid), valid)
    return list(found.values())


def is_likely(word: str) -> bool:
    local, _, domain = word.partition("@")
    return bool(local) and "." in domain and "@" not in domain


def valid_address(text: str) -> str | None:
    try:
        return clean_email(text)
    except ValueError:
        return None


def render(values: Iterable[tuple[str, str]], rest: str = "") -> str:
    """Lines that this module reads as these values again, and free text behind the separator."""
    lines = [f"{one_line(name)}: {one_line(value)}" for name, value in values]
    text = "\n".join([*lines, SEPARATOR, rest] if rest else lines)
    # Brackets that people typed are no markup.
    return f"<div>{html_of_lines(text)}</div>" if is_html(text) else text


def one_line(text: str) -> str:
    return " ".join(text.splitlines())


def person_in(description: str, fields: Sequence[Field]) -> dict[str, str]:
    """Columns of the contact whom the description names, `email` among them; {} when it names nobody."""
    facts = facts_in(description, fields)
    email = first_address(facts)
    if email is None:
        return {}
    said: dict[str, str] = {}
    for field, value in facts:
        said.setdefault(field.meaning, value.strip())
    person = {column: said[meaning] for meaning, column in CONTACT_COLUMNS.items() if meaning in said}
    if (
        "first_name" not in person
        and "last_name" not in person
        and (full := said.get(Field.Meaning.FULL_NAME))
    ):
        person["first_name"], person["last_name"] = split_full_name(full)
    if "phone" not in person and Field.Meaning.MOBILE in said:
        person["phone"] = said[Field.Meaning.MOBILE]
    fitting = {column: text[: Contact._meta.get_field(column).max_length] for column, text in person.items()}
    return {"email": email, **fitting}


def first_address(facts: Iterable[tuple[Field, str]]) -> str | None:
    """The address of a person before any other that a field holds: a description is free text, not a form."""
    ranked = sorted(facts, key=lambda fact: fact[0].meaning != Field.Meaning.EMAIL)
    written = (
        value
        for field, value in ranked
        if field.type == Field.Type.EMAIL or field.meaning == Field.Meaning.EMAIL
    )
    return next((valid for value in written if (valid := valid_address(value))), None)
