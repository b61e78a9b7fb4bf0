"""Who refers to a row, found by the models: outreach refers to contacts, and crm knows nothing of it."""

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
    for contact in untouched(Contact, made.contacts):
        delete_contact(contact, by=job)
    for company in untouched(Company, made.companies):
        delete_company(company, by=job)
    on_contacts = Contact.objects.alive().filter(tags=OuterRef("pk"))
    on_leads = Lead.objects.alive().filter(tags=OuterRef("pk"))
    Tag.objects.filter(~Exists(on_contacts), ~Exists(on_leads), pk__in=made.tags).delete()


def untouched(model: type[Contact] | type[Company], ids: set[int]) -> list[Any]:
    """What is as it was made, and named by deleted records at most: the verbs above unlink those."""
    free = ids - uses(model, ids, deleted=False).keys()
    return list(model.objects.alive().filter(pk__in=free, version=1).order_by("pk"))


def uses(model: type[models.Model], ids: Iterable[int], *, deleted: bool = True) -> dict[int, str]:
    """{id: reason} of the rows that others refer to; softly deleted ones count only with `deleted`."""
    ids = list(ids)
    found: dict[int, str] = {}
    for field in references(model) if ids else ():
        users = field.model._base_manager.filter(**{f"{field.name}__in": ids})
        if not deleted and hasattr(field.model, "deleted_at"):
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
