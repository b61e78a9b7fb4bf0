"""Who in the CRM a record means, and who earlier in the file was the same.

Any address identifies. A person without one is known by the LinkedIn page, and without that by exactly
the same name, phone and company as a contact that has no address. An address that nobody has may still
belong to a contact known by the LinkedIn page alone.
"""

from __future__ import annotations

from operator import itemgetter
from typing import NamedTuple

from django.db.models import Exists, OuterRef

from crm.importing.lookups import lookup
from crm.importing.outcomes import Outcome, rejected
from crm.importing.people import Person
from crm.importing.seen import Seen
from crm.models import Contact, ContactEmail

Traits = tuple[str, str, str, str]


class Known(NamedTuple):
    """Contacts that records of a chunk may mean."""

    by_address: dict[str, int]
    by_linkedin: dict[str, int]
    by_linkedin_alone: dict[str, int]  # those without an address
    by_traits: dict[Traits, int]


class Match(NamedTuple):
    person: Person
    contact_id: int | None


class Matcher:
    """Matches a chunk's people in the order of the file. `fresh` is what this chunk adds to what was seen."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.fresh: dict[str, int] = {}

    def match(self, people: list[Person]) -> tuple[list[Match], list[Outcome]]:
        known = find(people)
        targets = [target(person, known) for person in people]
        for person in people:
            person.words = words_of(person)
        words = [word for person in people for word in person.words]
        words += [f"c:{contact_id}" for contact_id in targets if contact_id]
        earlier = self.seen.lines(words)
        matches, refused = [], []
        for person, contact_id in zip(people, targets, strict=True):
            if reason := self.refusal(person, contact_id, earlier, known):
                refused.append(rejected(person, *reason))
                continue
            matches.append(Match(person, contact_id))
            for word in person.words:
                self.fresh.setdefault(word, person.line)
            if contact_id:
                self.fresh[f"c:{contact_id}"] = person.line
        return matches, refused

    def refusal(
        self, person: Person, contact_id: int | None, earlier: dict[str, int], known: Known
    ) -> tuple[str, str] | None:
        """Why this record cannot be the first and only one of its person in the file: reason and column."""
        fresh = self.fresh
        for key, address in person.emails.items():
            word = f"e:{key}"
            if line := earlier.get(word) or fresh.get(word):
                return f"same e-mail as line {line}: {address}", ""
            owner = known.by_address.get(key)
            if owner is not None and owner != contact_id:
                return f"{address} is an address of another contact than the others of this row", ""
        for word, what in same_person(person, contact_id):
            if line := earlier.get(word) or fresh.get(word):
                return f"same {what} as line {line}", ""
        return None


def words_of(person: Person) -> list[str]:
    """What later records are compared with. `l:` is any LinkedIn page, `L:` one that identifies."""
    words = [f"e:{key}" for key in person.emails]
    if person.linkedin:
        words.append(f"l:{person.linkedin}")
        if not words[1:]:
            words.append(f"L:{person.linkedin}")
    elif not words:
        words.append("p:" + "\x1f".join(person.traits))
    return words


def same_person(person: Person, contact_id: int | None) -> list[tuple[str, str]]:
    words = [(f"c:{contact_id}", "person")] if contact_id else []
    if not person.emails:
        identity = f"l:{person.linkedin}" if person.linkedin else "p:" + "\x1f".join(person.traits)
        words.append((identity, "LinkedIn page" if person.linkedin else "name, phone and company"))
    elif person.linkedin and not contact_id:
        words.append((f"L:{person.linkedin}", "LinkedIn page"))
    return words


def target(person: Person, known: Known) -> int | None:
    for key in person.emails:
        if (contact_id := known.by_address.get(key)) is not None:
            return contact_id
    if person.linkedin:
        pages = known.by_linkedin_alone if person.emails else known.by_linkedin
        return pages.get(person.linkedin)
    return None if person.emails else known.by_traits.get(person.traits)


def find(people: list[Person]) -> Known:
    keys = [key for person in people for key in person.emails]
    pages, alone = find_by_linkedin([person.linkedin for person in people if person.linkedin])
    plain = [person for person in people if not person.emails and not person.linkedin]
    return Known(find_by_address(keys), pages, alone, find_by_traits(plain))


def find_by_address(keys: list[str]) -> dict[str, int]:
    return dict(
        lookup("SELECT email_key, contact_id FROM crm_contactemail WHERE account_id = %s AND email_key", keys)
    )


def without_address() -> Exists:
    return ~Exists(ContactEmail.objects.filter(contact=OuterRef("pk")))


def find_by_linkedin(pages: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """The oldest contact of each page, and the oldest that has no address."""
    # Both databases use the partial index only if told that the page is none blank.
    rows = lookup(
        """SELECT linkedin_url, id, EXISTS (SELECT 1 FROM crm_contactemail e WHERE e.contact_id = c.id)
        FROM crm_contact c
        WHERE deleted_at IS NULL AND NOT (linkedin_url = '') AND account_id = %s AND linkedin_url""",
        pages,
    )
    rows.sort(key=itemgetter(1), reverse=True)
    return {page: pk for page, pk, _ in rows}, {page: pk for page, pk, addressed in rows if not addressed}


def find_by_traits(people: list[Person]) -> dict[Traits, int]:
    if not people:
        return {}
    names = {person.values.get("last_name", "") for person in people}
    rows = Contact.objects.alive().filter(without_address(), last_name__in=names)
    if names == {""}:
        rows = rows.filter(first_name__in={person.values.get("first_name", "") for person in people})
    found = rows.order_by("-pk").values_list("first_name", "last_name", "phone", "company__name_key", "pk")
    wanted = {person.traits for person in people}
    return {
        traits: pk
        for first, last, phone, company, pk in found.iterator()
        if (traits := (first, last, phone, company or "")) in wanted
    }
