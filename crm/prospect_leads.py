"""Leads made of prospects: what they say, and that a prospect becomes one lead only."""

from __future__ import annotations

from crm.descriptions import render
from crm.models import Lead, Prospect
from pipelime.errors import Conflict


def refuse_converted(prospect: Prospect) -> None:
    lead = prospect.lead
    if lead is not None and lead.deleted_at is None:
        raise Conflict(
            f"This prospect is the lead {lead.title!r} already", existing=str(lead.uid), number=lead.pk
        )


def title_of(prospect: Prospect) -> str:
    """The first cell; a row without one is called by the first that says something."""
    first = prospect.content[0] if prospect.content else ""
    return " ".join((first.strip() or str(prospect)).split())[: Lead._meta.get_field("title").max_length]


def description_of(prospect: Prospect) -> str:
    pairs = zip(prospect.prospecting_list.columns[1:], prospect.content[1:], strict=False)
    return render((name, cell.strip()) for name, cell in pairs if cell.strip())
