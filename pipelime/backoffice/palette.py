"""What Ctrl+K finds: people, companies and leads by the beginnings of their words."""

from __future__ import annotations

from itertools import chain, zip_longest

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from crm.models import Company, Contact, Lead
from pipelime.search import documents

SHOWN = 20
KINDS = ((Contact, "person"), (Lead, "target"), (Company, "apartment"))


def search(request: HttpRequest, term: str) -> list[SearchResult]:
    """The best of each kind in turn, so that many of one kind do not hide the others."""
    found = zip_longest(*(hits(request, model, icon, term) for model, icon in KINDS))
    return [hit for hit in chain.from_iterable(found) if hit is not None][:SHOWN]


def hits(request: HttpRequest, model: type, icon: str, term: str) -> list[SearchResult]:
    ids = documents.find(model.SEARCH_KIND, term, limit=SHOWN)
    rows = admin.site.get_model_admin(model).get_queryset(request).in_bulk(ids)
    return [
        SearchResult(
            title=str(rows[pk]),
            description=model._meta.verbose_name,
            link=reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk]),
            icon=icon,
        )
        for pk in ids
        if pk in rows
    ]
