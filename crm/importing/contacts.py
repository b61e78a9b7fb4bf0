"""A chunk of people: told apart into new, changed and unchanged contacts, and written in bulk."""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import Any

from django.utils import timezone

from crm.importing import known
from crm.importing.bulkrows import Facts, insert_contacts, make_companies, make_tags, update_contacts
from crm.importing.formats import Record
from crm.importing.known import CompanyFacts, ContactFacts
from crm.importing.mapping import FIELD_KIND
from crm.importing.matching import Match, Matcher
from crm.importing.outcomes import CREATED, SKIPPED, UNCHANGED, UPDATED, Outcome, Rejected
from crm.importing.people import TEXTS, Person, Reader
from crm.importing.seen import Seen
from crm.models import Field, ImportJob
from pipelime import locks

BLANK = dict.fromkeys(TEXTS, "")


class ContactImporter:
    """Reads records outside a transaction and settles them by the chunk inside one."""

    def __init__(self, job: ImportJob, seen: Seen) -> None:
        types = dict(Field.objects.filter(kind=FIELD_KIND["contacts"]).values_list("key", "type"))
        self.job = job
        self.reader = Reader(job.header, job.mapping, types)
        self.matcher = Matcher(seen)

    @property
    def fresh(self) -> dict[str, int]:
        return self.matcher.fresh

    @fresh.setter
    def fresh(self, lines: dict[str, int]) -> None:
        self.matcher.fresh = lines

    def read(self, record: Record) -> Person:
        person = self.reader.read(record)
        if not person.emails and not person.linkedin and not any(person.traits[:3]):
            raise Rejected("nothing identifies this person: no e-mail address, name, phone or LinkedIn page")
        return person

    def settle(self, people: list[Person], *, write: bool) -> list[Outcome]:
        """What becomes of each person; with `write`, it has become so."""
        if write:
            self.hold_pages(people)
        matches, refused = self.matcher.match(people)
        contacts = known.load({pk for _, pk in matches if pk}, lock=write)
        if self.job.on_duplicate == ImportJob.OnDuplicate.SKIP:
            made = [match for match in matches if match.contact_id not in contacts]
            outcomes = [skipped(person, contacts[pk]) for person, pk in matches if pk in contacts]
            return [*refused, *outcomes, *self.save(made, {}, write=write)]
        return [*refused, *self.save(matches, contacts, write=write)]

    def hold_pages(self, people: list[Person]) -> None:
        """No constraint keeps LinkedIn pages apart: whoever else adds one of these waits here."""
        account_id = self.job.account_id
        locks.hold_all(
            [("linkedin", account_id, person.linkedin) for person in people if is_known_by_page(person)]
        )

    def save(self, matches: list[Match], contacts: dict[int, ContactFacts], *, write: bool) -> list[Outcome]:
        made, changed, outcomes = [], [], []
        for person, pk in matches:
            contact = contacts.get(pk)
            if contact is None:
                made.append(person)
            elif differs(person, contact):
                changed.append((person, contact))
            else:
                outcomes.append(unchanged(person, contact))
        if write:
            return outcomes + self.written(made, changed)
        outcomes += [Outcome(person.number, person.line, CREATED, person.email_key) for person in made]
        return outcomes + [
            Outcome(person.number, person.line, UPDATED, person.email_key) for person, _ in changed
        ]

    def written(self, made: list[Person], changed: list[tuple[Person, ContactFacts]]) -> list[Outcome]:
        if not made and not changed:
            return []
        facts = Facts(self.job, timezone.now())
        companies, new_companies = make_companies(facts, needed_companies(made, changed))
        tags, new_tags = make_tags(facts, needed_tags(made, changed))
        maker = Maker(companies, new_companies, tags, new_tags)
        now = facts.now
        created = [(person, new_contact(person, companies.get(person.company_key), now)) for person in made]
        insert_contacts(facts, [contact for _, contact in created], tags)
        updates = [(person, contact, change(person, contact, companies, now)) for person, contact in changed]
        update_contacts(facts, [(contact, changes) for _, contact, changes in updates], tags)
        facts.record()
        return [
            *(outcome(CREATED, person, contact, maker.made_for(person)) for person, contact in created),
            *(
                outcome(UPDATED, person, contact, before(changes, tags) | (maker.made_for(person) or {}))
                for person, contact, changes in updates
            ),
        ]


def is_known_by_page(person: Person) -> bool:
    return bool(person.linkedin) and not person.emails


class Maker:
    """Which record made a company or a tag: the first that needed it. An undo looks here for them."""

    def __init__(
        self,
        companies: dict[str, CompanyFacts],
        new_companies: set[str],
        tags: dict[str, tuple[int, str]],
        new_tags: set[str],
    ) -> None:
        self.new_companies = {key: companies[key].id for key in new_companies}
        self.new_tags = {key: tags[key][0] for key in new_tags}

    def made_for(self, person: Person) -> dict[str, Any] | None:
        made: dict[str, Any] = {}
        if self.new_companies and (company := self.new_companies.pop(person.company_key, None)):
            made["companies"] = [company]
        if self.new_tags and (
            tags := [self.new_tags.pop(key) for key in person.tags if key in self.new_tags]
        ):
            made["tags"] = tags
        return {"made": made} if made else None


def needed_companies(made: list[Person], changed: list[tuple[Person, ContactFacts]]) -> dict[str, str]:
    """{key: name}, as the first record spells it."""
    people = [person for person in made if person.company_key]
    people += [person for person, contact in changed if moves(person, contact)]
    needed: dict[str, str] = {}
    for person in in_file_order(people):
        needed.setdefault(person.company_key, person.company)
    return needed


def needed_tags(made: list[Person], changed: list[tuple[Person, ContactFacts]]) -> dict[str, str]:
    people = [person for person in (*made, *(person for person, _ in changed)) if person.tags]
    needed: dict[str, str] = {}
    for person in in_file_order(people):
        for key, name in person.tags.items():
            needed.setdefault(key, name)
    return needed


def in_file_order(people: list[Person]) -> list[Person]:
    return sorted(people, key=attrgetter("number"))


def moves(person: Person, contact: ContactFacts) -> bool:
    """Whether the record names another company than the contact's."""
    return bool(person.company_key) and (contact.company is None or contact.company.key != person.company_key)


def differs(person: Person, contact: ContactFacts) -> bool:
    """A blank cell says nothing, tags and addresses are only added: the rest overwrites."""
    values = contact.values
    return (
        any(values[name] != text for name, text in person.values.items())
        or moves(person, contact)
        or any(key not in contact.emails for key in person.emails)
        or any(key not in contact.tags for key in person.tags)
        or any(values["custom_fields"].get(key) != value for key, value in person.custom.items())
    )


def new_contact(person: Person, company: CompanyFacts | None, now: datetime) -> ContactFacts:
    values: dict[str, Any] = {
        **BLANK, **person.values, "company_id": company.id if company else None,
        "custom_fields": person.custom, "version": 1, "status": "active", "owner_id": None,
        "created_at": now, "updated_at": now, "time_zone": "",
    }  # fmt: skip
    contact = ContactFacts(values, company)
    primary = True
    for key, address in person.emails.items():
        contact.emails[key] = {"address": address, "label": "", "is_primary": primary}
        primary = False
    contact.tags = person.tags
    return contact


def change(
    person: Person, contact: ContactFacts, companies: dict[str, CompanyFacts], now: datetime
) -> dict[str, list]:
    """Lay the record over the contact. Returns {field: [old, new]} in history's words."""
    values, changes = contact.values, {}
    for name, text in person.values.items():
        if values[name] != text:
            changes[name] = [values[name], text]
            values[name] = text
    if moves(person, contact):
        company = companies[person.company_key]
        changes["company"] = [contact.company.facts() if contact.company else None, company.facts()]
        contact.company, values["company_id"] = company, company.id
    custom = {**values["custom_fields"], **person.custom}
    if custom != values["custom_fields"]:
        changes["custom_fields"] = [values["custom_fields"], custom]
        values["custom_fields"] = custom
    changes |= add_parts(person, contact)
    values["version"] += 1
    values["updated_at"] = now
    return changes


def add_parts(person: Person, contact: ContactFacts) -> dict[str, list]:
    """Further addresses and tags of the record."""
    changes: dict[str, list] = {}
    added = {key: address for key, address in person.emails.items() if key not in contact.emails}
    if added:
        old = list(contact.emails.values())
        for key, address in added.items():
            contact.emails[key] = {"address": address, "label": "", "is_primary": not contact.emails}
        changes["emails"] = [old, list(contact.emails.values())]
        if not old:
            changes["email"] = [None, next(iter(added.values()))]
    if new := {key: name for key, name in person.tags.items() if key not in contact.tags}:
        names = sorted(contact.tags.values(), key=str.casefold)
        contact.tags = {**contact.tags, **new}
        changes["tags"] = [names, sorted(contact.tags.values(), key=str.casefold)]
    return changes


def before(changes: dict[str, list], tags: dict[str, tuple[int, str]]) -> dict[str, Any]:
    """What an undo puts back: old values, and which addresses and tags came with the record."""
    old: dict[str, Any] = {name: changes[name][0] for name in (*TEXTS, "custom_fields") if name in changes}
    kept: dict[str, Any] = {"values": old}
    if "company" in changes:
        company = changes["company"][0]
        old["company_id"] = company["number"] if company else None
    if "emails" in changes:
        kept["emails"] = [email["address"] for email in changes["emails"][1][len(changes["emails"][0]) :]]
    if "tags" in changes:
        had = set(changes["tags"][0])
        kept["tags"] = [tags[name.casefold()][0] for name in changes["tags"][1] if name not in had]
    return kept


def outcome(what: str, person: Person, contact: ContactFacts, kept: dict[str, Any] | None) -> Outcome:
    values = contact.values
    return Outcome(
        person.number, person.line, what, person.email_key,
        object_id=values["id"], version=values["version"], before=kept,
    )  # fmt: skip


def skipped(person: Person, contact: ContactFacts) -> Outcome:
    return outcome(SKIPPED, person, contact, None)


def unchanged(person: Person, contact: ContactFacts) -> Outcome:
    return outcome(UNCHANGED, person, contact, None)
