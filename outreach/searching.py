"""Searches over the account's own contacts whose results are kept for whoever fetches them later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from crm.models import Contact
from outreach.models import ContactSearch
from pipelime.accounts.models import Account
from pipelime.errors import Invalid
from pipelime.events.recording import record

# Where each filter looks; a word matches anywhere in the text, whatever its case.
COLUMNS = {"job_titles": "job_title", "locations": "location", "companies": "company__name"}
OWN_FIELDS = {"industries": "industry", "company_sizes": "company_size", "seniorities": "seniority"}
FILTERS = (*COLUMNS, *OWN_FIELDS)
MOST = 1000


@transaction.atomic
def search_contacts(
    account: Account, *, by, name: str, filters: Mapping[str, Sequence[str]], limit: int
) -> ContactSearch:
    """Of several words of one filter any is enough; every filter must match."""
    if not name.strip() or len(name.strip()) > 250:
        raise Invalid("A search needs a name of at most 250 characters", field="name")
    if not 1 <= limit <= MOST:
        raise Invalid(f"limit must be from 1 to {MOST:,}, not {limit}", field="limit")
    found = matching(filters).order_by("pk").values_list("pk", flat=True)[:limit]
    search = ContactSearch.objects.create(
        account=account,
        name=name.strip(),
        filters=dict(filters),
        requested=limit,
        contact_ids=list(found),
        status=ContactSearch.Status.COMPLETED,
        completed_at=timezone.now(),
    )
    record("contact_search.completed", search, by=by)
    return search


def matching(filters: Mapping[str, Sequence[str]]) -> QuerySet[Contact]:
    rows = Contact.objects.alive()
    for name, words in filters.items():
        if name not in FILTERS:
            raise Invalid(f"{name!r} is no filter; use {', '.join(FILTERS)}", field="filters")
        if words:
            rows = rows.filter(any_of(name, words))
    return rows


def any_of(name: str, words: Sequence[str]) -> Q:
    found = Q()
    for word in words:
        column = COLUMNS.get(name)
        found |= Q(**{f"{column}__icontains": word}) if column else own_field(OWN_FIELDS[name], word)
    return found


def own_field(key: str, word: str) -> Q:
    """A custom field of the account; without one of this key nobody matches."""
    return Q(**{f"custom_fields__{key}__iexact": word})


def results_of(search: ContactSearch, *, start: int, count: int) -> list[Contact]:
    """Those found who still exist, in their order."""
    ids: list[Any] = search.contact_ids[start : start + count]
    found = Contact.objects.alive().with_parts().in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]
