"""Who refers to a row, found by the models themselves: outreach refers to contacts, and crm knows nothing of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef

from crm.companies import delete_company
from crm.contacts import delete_contact
from crm.models import Company, Contact, ContactEmail, ImportJob, Lead, Tag

PARTS: tuple[type[models.Model], ...] = (ContactEmail,)  # of a contact, not users of one


def remove_unused(job: ImportJob, made: Any) -> None:
    """Companies, contacts and tags that an undone import had made on the way, unless something needs them."""
    contacts = Contact.objects.alive().filter(pk__in=made.contacts - uses(Contact, made.contacts).keys(), version=1)
    for contact in contacts.order_by("pk"):
        delete_contact(contact, by=job)
    companies = Company.objects.alive().filter(pk__in=made.companies - uses(Company, made.companies).keys(), version=1)
    for company in companies.order_by("pk"):
        delete_company(company, by=job)
    on_contacts = Contact.objects.alive().filter(tags=OuterRef("pk"))
    on_leads = Lead.objects.alive().filter(tags=OuterRef("pk"))
    Tag.objects.filter(~Exists(on_contacts), ~Exists(on_leads), pk__in=made.tags).delete()


def uses(model: type[models.Model], ids: Iterable[int]) -> dict[int, str]:
    """{id: reason} of the rows that others refer to. A company that only deleted records name is free."""
    ids = list(ids)
    found: dict[int, str] = {}
    for field in references(model) if ids else ():
        users = field.model._base_manager.filter(**{f"{field.name}__in": ids})
        if model is Company and hasattr(field.model, "deleted_at"):
            users = users.filter(deleted_at=None)
        name = str(field.model._meta.verbose_name)
        reason = f"has {'an' if name[:1] in 'aeiou' else 'a'} {name}"
        for pk in users.order_by().values_list(field.attname, flat=True).distinct():
            found.setdefault(pk, reason)
    return found


def references(model: type[models.Model]) -> Iterator[models.ForeignKey]:
    """Every foreign key to the model, those that hide their reverse name too."""
    for relation in model._meta.get_fields(include_hidden=True):
        if (relation.one_to_many or relation.one_to_one) and relation.auto_created:
            related = relation.related_model
            if not related._meta.auto_created and related not in PARTS:
                yield relation.field
