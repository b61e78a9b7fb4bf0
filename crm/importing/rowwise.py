"""Companies and leads of a file: fewer than people, so that each goes through the verb with all its rules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from django.db import models, transaction

from crm.addresses import holder
from crm.companies import company_named, create_company, update_company
from crm.contacts import create_contact
from crm.importing.formats import Record
from crm.importing.mapping import FIELD_KIND
from crm.importing.outcomes import CREATED, SKIPPED, UNCHANGED, UPDATED, Outcome, Rejected, rejected
from crm.importing.people import Person, Reader, Reading, cleaned
from crm.importing.seen import Seen
from crm.importing.values import clean_amount, clean_domain, decimal_mark
from crm.leads import create_lead, update_lead
from crm.models import Company, Contact, Field, ImportJob, Lead, Step, Tag
from crm.tags import tags_named
from pipelime.changing import plain
from pipelime.errors import Conflict, Invalid

PERSON_COLUMNS = ("first_name", "last_name", "job_title", "phone", "linkedin_url")


class OnlyTried(Exception):
    """What a dry run raises to take everything back."""


class VerbImporter(ABC):
    """Settles row by row. A dry run does the very same and takes it back, so it shows what will happen."""

    what: str
    identity: str

    def __init__(self, job: ImportJob, seen: Seen) -> None:
        types = dict(Field.objects.filter(kind=FIELD_KIND[job.kind]).values_list("key", "type"))
        self.job, self.account, self.seen = job, job.account, seen
        self.fresh: dict[str, int] = {}
        self.reader = Reader(job.header, job.mapping, types, self.readings())
        self.columns = {field: name for name, field in job.mapping.items() if field}

    @abstractmethod
    def readings(self) -> dict[str, Reading]:
        """How the fields of this kind alone are read."""

    @abstractmethod
    def word(self, row: Person) -> str:
        """What tells this row from every other of the file."""

    @abstractmethod
    def find(self, rows: list[Person]) -> dict[str, Any]:
        """{word: record} of what the CRM has already."""

    @abstractmethod
    def facts(self, row: Person, made: dict[str, list[int]]) -> dict[str, Any]:
        """What the verb takes; `made` learns of companies, contacts and tags made on the way."""

    @abstractmethod
    def create(self, facts: dict[str, Any]) -> Any: ...

    @abstractmethod
    def update(self, record: Any, changes: dict[str, Any]) -> Any: ...

    def read(self, record: Record) -> Person:
        row = self.reader.read(record)
        if not row.values.get(self.identity):
            raise Rejected(f"a {self.what} needs a {self.identity}", self.columns.get(self.identity, ""))
        return row

    def settle(self, rows: list[Person], *, write: bool) -> list[Outcome]:
        if write:
            return self.settle_rows(rows)
        found: list[Outcome] = []
        try:
            with transaction.atomic():
                found = self.settle_rows(rows)
                raise OnlyTried
        except OnlyTried:
            return found

    def settle_rows(self, rows: list[Person]) -> list[Outcome]:
        earlier = self.seen.lines(self.word(row) for row in rows)
        known, found = self.find(rows), []
        for row in rows:
            word = self.word(row)
            if line := earlier.get(word) or self.fresh.get(word):
                found.append(rejected(row, f"same {self.what} as line {line}"))
                continue
            try:
                with transaction.atomic():
                    found.append(self.settle_row(row, known.get(word)))
            except Rejected as error:
                found.append(rejected(row, str(error), error.column))
            except (Invalid, Conflict) as error:
                column = self.columns.get(getattr(error, "field", None) or "", "")
                found.append(rejected(row, str(error), column))
            self.fresh[word] = row.line
        return found

    def settle_row(self, row: Person, record: Any) -> Outcome:
        if record is not None and self.job.on_duplicate == ImportJob.OnDuplicate.SKIP:
            return outcome(SKIPPED, row, record, None)
        made: dict[str, list[int]] = {}
        facts = self.facts(row, made)
        kept: dict[str, Any] = {"made": made} if made else {}
        if record is None:
            return outcome(CREATED, row, self.create(facts), kept or None)
        changes = {name: new for name, new in facts.items() if differs(record, name, new)}
        if not changes:
            return outcome(UNCHANGED, row, record, None)
        old = {name: old_value(record, name) for name in changes}
        return outcome(
            UPDATED, row, self.update(record, self.laid_over(record, changes)), {"values": old, **kept}
        )

    def laid_over(self, record: Any, changes: dict[str, Any]) -> dict[str, Any]:
        """Tags are added to those that are there; everything else takes the old value's place."""
        if "tags" in changes:
            changes["tags"] = [*tag_names(record), *changes["tags"]]
        return changes


class CompanyImporter(VerbImporter):
    what, identity = "company", "name"

    def readings(self) -> dict[str, Reading]:
        return {"domain": cleaned("domain", clean_domain), "description": cleaned("description", str)}

    def word(self, row: Person) -> str:
        return Company.key_of(row.values["name"])

    def find(self, rows: list[Person]) -> dict[str, Company]:
        """The oldest company of each name."""
        same = Company.objects.alive().filter(name_key__in=[self.word(row) for row in rows])
        return {company.name_key: company for company in same.order_by("-pk")}

    def facts(self, row: Person, made: dict[str, list[int]]) -> dict[str, Any]:
        return {**row.values, **custom(row)}

    def create(self, facts: dict[str, Any]) -> Company:
        return create_company(self.account, by=self.job, **facts)

    def update(self, record: Company, changes: dict[str, Any]) -> Company:
        changes.pop("name", None)
        return update_company(record, by=self.job, **changes)


class LeadImporter(VerbImporter):
    """A lead is known by its title and the address of its contact."""

    what, identity = "lead", "title"

    def __init__(self, job: ImportJob, seen: Seen) -> None:
        super().__init__(job, seen)
        steps = Step.objects.select_related("pipeline").order_by(
            "-pipeline__is_default", "pipeline__position", "pipeline_id", "position", "pk"
        )
        self.steps: dict[str, Step] = {}
        for step in steps:
            self.steps.setdefault(step.name.casefold(), step)

    def readings(self) -> dict[str, Reading]:
        mark = "." if not self.job.encoding else decimal_mark(self.cells_of("amount"))
        return {
            "amount": cleaned("amount", lambda text: clean_amount(text, decimal=mark)),
            "description": cleaned("description", str),
            "step": cleaned("step", str),
            "status": cleaned("status", status_named),
        }

    def cells_of(self, field: str) -> list[str]:
        places = [at for at, name in enumerate(self.job.header) if self.job.mapping.get(name) == field]
        return [cells[at] for cells in self.job.sample for at in places]

    def word(self, row: Person) -> str:
        return f"{row.values['title']}\x1f{row.email_key}"

    def find(self, rows: list[Person]) -> dict[str, Lead]:
        titles = {row.values["title"] for row in rows}
        same = (
            Lead.objects.alive().filter(title__in=titles).select_related("step", "client_folder", "contact")
        )
        found: dict[str, Lead] = {}
        for lead in same.prefetch_related("contact__emails", "tags").order_by("-pk"):
            emails = [email.email_key for email in lead.contact.emails.all()] if lead.contact else []
            found |= {f"{lead.title}\x1f{key}": lead for key in emails or [""]}
        return found

    def facts(self, row: Person, made: dict[str, list[int]]) -> dict[str, Any]:
        facts = {name: value for name, value in row.values.items() if name not in PERSON_COLUMNS}
        if "step" in facts:
            facts["step"] = self.step_named(facts["step"])
        if row.company:
            facts["client_folder"] = self.folder(row.company, made)
        if row.emails:
            facts["contact"] = self.contact(row, made)
        if row.tags:
            facts["tags"] = self.tags(row, made)
        return {**facts, **custom(row)}

    def step_named(self, name: str) -> Step:
        if (step := self.steps.get(name.casefold())) is None:
            known = ", ".join(step.name for step in self.steps.values())
            raise Rejected(f"{name!r} is no step of a pipeline; known are {known}", self.columns["step"])
        return step

    def folder(self, name: str, made: dict[str, list[int]]) -> Company:
        known = Company.objects.alive().filter(name_key=Company.key_of(name)).exists()
        company = company_named(self.account, name, by=self.job)
        if not known:
            made.setdefault("companies", []).append(company.pk)
        return company

    def contact(self, row: Person, made: dict[str, list[int]]) -> Contact:
        """Whoever has one of the addresses, or a new contact."""
        if known := holder(row.emails):
            return known
        facts = {name: row.values[name] for name in PERSON_COLUMNS if name in row.values}
        emails = [{"address": address} for address in row.emails.values()]
        contact = create_contact(self.account, by=self.job, emails=emails, **facts)
        made.setdefault("contacts", []).append(contact.pk)
        return contact

    def tags(self, row: Person, made: dict[str, list[int]]) -> list[str]:
        known = set(Tag.objects.filter(name_key__in=list(row.tags)).values_list("pk", flat=True))
        tags = tags_named(self.account, row.tags.values(), by=self.job)
        if new := [tag.pk for tag in tags if tag.pk not in known]:
            made["tags"] = new
        return [tag.name for tag in tags]

    def create(self, facts: dict[str, Any]) -> Lead:
        owner = {"owner": self.job.created_by} if can_own(self.job) else {}
        return create_lead(self.account, by=self.job, created_from="import", **owner, **facts)

    def update(self, record: Lead, changes: dict[str, Any]) -> Lead:
        return update_lead(record, by=self.job, **changes)


def can_own(job: ImportJob) -> bool:
    return (
        job.created_by is not None
        and job.created_by.account_id == job.account_id
        and job.created_by.is_active
    )


def status_named(text: str) -> str:
    words = {word.casefold(): value for value, label in Lead.Status.choices for word in (value, str(label))}
    if text.casefold() not in words:
        raise ValueError(f"{text!r} is no status; use {', '.join(Lead.Status.values)}")
    return words[text.casefold()]


def custom(row: Person) -> dict[str, Any]:
    return {"custom_fields": row.custom} if row.custom else {}


def tag_names(record: Any) -> list[str]:
    return [tag.name for tag in record.tags.all()]


def differs(record: Any, name: str, new: Any) -> bool:
    """Tags and custom fields are laid over what is there, so only new ones count."""
    if name == "tags":
        known = {tag.casefold() for tag in tag_names(record)}
        return any(tag.casefold() not in known for tag in new)
    if name == "custom_fields":
        return any(record.custom_fields.get(key) != value for key, value in new.items())
    if name == "step":
        return record.step.name.casefold() != new.name.casefold()
    if name == "name":
        return False
    return getattr(record, name) != new


def old_value(record: Any, name: str) -> Any:
    if name == "tags":
        return tag_names(record)
    value = getattr(record, name)
    return value.pk if isinstance(value, models.Model) else plain(value)


def outcome(what: str, row: Person, record: Any, kept: dict[str, Any] | None) -> Outcome:
    return Outcome(
        row.number, row.line, what, row.email_key, object_id=record.pk, version=record.version, before=kept
    )
