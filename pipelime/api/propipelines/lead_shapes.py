"""How leads are written: short in lists, whole by themselves.

The document's lists show `description` in one item and `text_description` in the next; we write
`description`, which its other examples agree on. Callers have the scope of the leads' account open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from django.db.models import prefetch_related_objects

from crm import descriptions
from crm.html import html_of
from crm.lead_keys import emails_of
from crm.models import Lead, Pipeline
from crm.tags import names_of
from crm.visibility import seers_by_owner
from pipelime.accounts.models import Team
from pipelime.api.propipelines import meanings
from pipelime.api.propipelines.clients import folder_shape
from pipelime.api.propipelines.follow_ups import follow_up_shape
from pipelime.api.propipelines.meanings import by_meaning
from pipelime.api.propipelines.parameters import moment
from pipelime.api.propipelines.people import brief_user_shape, team_shape, user_shape
from pipelime.permalinks import permalink

LISTED = ("tags", "owner__memberships__team")
WHOLE = (*LISTED, "owner__memberships__team__members__user", "follow_ups__tasks", "follow_ups__tags")


def single(lead: Lead) -> dict[str, Any]:
    """As retrieving one lead answers."""
    return singles([lead])[0]


def singles(leads: Iterable[Lead]) -> list[dict[str, Any]]:
    """Many leads of one account, each as whole as if it had been asked for alone."""
    leads = list(leads)
    prefetch_related_objects(leads, *WHOLE)
    known = Surroundings(leads)
    return [single_shape(lead, known) for lead in leads]


def in_list(leads: Sequence[Lead]) -> list[dict[str, Any]]:
    prefetch_related_objects(leads, *LISTED)
    known = Surroundings(leads)
    return [listed_shape(lead, known.pipeline_of(lead)) for lead in leads]


def in_unassigned_list(leads: Sequence[Lead]) -> list[dict[str, Any]]:
    """What nobody works on has no currency, no star and no team."""
    known = Surroundings(leads)
    return [unassigned_shape(lead, known.pipeline_of(lead)) for lead in leads]


class Surroundings:
    """What several leads of one account need besides their own rows, asked for once."""

    def __init__(self, leads: Sequence[Lead]):
        self.leads = leads

    @cached_property
    def names_pipelines(self) -> bool:
        """An account with a single pipeline never sees its name."""
        return Pipeline.objects.count() > 1

    @cached_property
    def fields(self) -> list:
        return descriptions.lead_fields()

    @cached_property
    def emails(self) -> dict[int, list[str]]:
        return emails_of(self.leads)

    @cached_property
    def seers(self) -> dict[int | None, int]:
        return seers_by_owner(self.leads)

    def pipeline_of(self, lead: Lead) -> str | None:
        return lead.step.pipeline.name if self.names_pipelines else None


def shared_shape(lead: Lead, pipeline: str | None) -> dict[str, Any]:
    """What lists and single leads write in the same way."""
    return {
        "id": lead.pk,
        "title": lead.title,
        "pipeline": pipeline,
        "step": lead.step.name,
        "step_id": lead.step_id,
        "status": lead.status,
        "amount": float(lead.amount) if lead.amount is not None else None,
        "probability": lead.probability,
        "currency": lead.currency,
        "starred": True if lead.starred else None,
        "remind_date": day(lead.remind_date),
        "remind_time": f"{lead.remind_time:%H:%M}" if lead.remind_time else None,
        "next_action_at": moment(lead.reminder_at),
        "created_at": moment(lead.created_at),
        "estimated_closing_date": day(lead.estimated_closing_date),
        "updated_at": moment(lead.updated_at),
        "closed_at": moment(lead.closed_at),
        "description": lead.description,
        "html_description": html_of(lead.description),
        "tags": names_of(lead.tags.all()),
        "created_from": lead.created_from,
        "created_by_id": lead.created_by_id,
        "user_id": lead.owner_id,
        "client_folder_id": lead.client_folder_id,
        "client_folder_name": lead.client_folder.name if lead.client_folder else None,
        "attachment_count": lead.attachment_count,
    }


def listed_shape(lead: Lead, pipeline: str | None) -> dict[str, Any]:
    team = team_of(lead)
    return {
        **shared_shape(lead, pipeline),
        "team_id": team.pk if team else None,
        "team_name": team.name if team else None,
    }


def unassigned_shape(lead: Lead, pipeline: str | None) -> dict[str, Any]:
    return {**shared_shape(lead, pipeline), "currency": None, "starred": False}


def single_shape(lead: Lead, known: Surroundings) -> dict[str, Any]:
    team = team_of(lead)
    return {
        **shared_shape(lead, known.pipeline_of(lead)),
        "status": lead.status.capitalize(),
        "reminder_at": moment(lead.reminder_at),
        "reminder_duration": lead.reminder_duration,
        "team_id": team.pk if team else None,
        "extended_info": extended_shape(lead, team, known),
    }


def extended_shape(lead: Lead, team: Team | None, known: Surroundings) -> dict[str, Any]:
    emails = known.emails.get(lead.pk, [])
    return {
        "first_contact_email": emails[0] if emails else None,
        "all_contact_emails": emails,
        "permalink": permalink("leads", lead.pk),
        "fields": by_meaning(lead.description, known.fields, meanings.LEAD),
        "fields_by_name": descriptions.by_name(lead.description, known.fields),
        "comment_count": lead.comment_count,
        "bcc_count": lead.bcc_count,
        "team": team_shape(team) if team else None,
        "user": user_shape(lead.owner),
        "client_folder": folder_shape(lead.client_folder) if lead.client_folder else None,
        "created_by": brief_user_shape(lead.created_by),
        "business_card_id": lead.business_card_id,
        "visible_by_count": known.seers[lead.owner_id],
        "follow_ups": [follow_up_shape(follow_up) for follow_up in lead.follow_ups.all()],
    }


def team_of(lead: Lead) -> Team | None:
    """The first team that the owner has joined, by the teams' ids."""
    if lead.owner is None:
        return None
    return min(
        (member.team for member in lead.owner.memberships.all()), key=lambda team: team.pk, default=None
    )


def day(date: Any) -> str | None:
    return date.isoformat() if date else None
