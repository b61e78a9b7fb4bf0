"""Leads as webhooks carry them: what the event says of each, and what is read for all of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from crm.descriptions import by_name
from crm.html import html_of, text_of
from crm.lead_keys import emails_of
from crm.models import Comment, Company, Field, Lead
from pipelime.accounts.models import Team, User
from pipelime.api.propipelines import meanings
from pipelime.api.propipelines.meanings import by_meaning
from pipelime.api.propipelines.parameters import moment
from pipelime.api.propipelines.people import brief_user_shape, team_shape
from pipelime.events.models import Event
from pipelime.permalinks import permalink

Facts = Mapping[str, Any]


def lead_of(event: Event) -> int | None:
    """The lead that an event is about, or whose comment it is about."""
    if event.subject_type == "lead":
        return event.subject_id
    return event.parent_id if event.subject_type == "comment" and event.parent_type == "lead" else None


class LeadData:
    """Writes the leads of a batch of events in a constant number of queries."""

    def __init__(self, events: Iterable[Event], *, with_comments: bool):
        events = list(events)
        ids = {number for event in events if (number := lead_of(event))}
        self.rows = Lead.objects.with_parts().in_bulk(ids) if ids else {}
        self.facts = [self.facts_of(event) for event in events]
        self.fields = self.fields_of({event.account_id for event in events}) if ids else {}
        self.people = self.people_of() if ids else {}
        self.teams = teams_of({number_of(facts, "owner") for facts in self.facts}) if ids else {}
        self.folders = self.folders_of() if ids else {}
        self.emails = emails_of(list(self.rows.values())) if self.rows else {}
        self.comments = comments_of(ids) if ids and with_comments else None

    def facts_of(self, event: Event) -> Facts:
        """As the event has kept them; a comment's lead as it is now."""
        if event.subject_type == "lead":
            return event.facts
        row = self.rows.get(lead_of(event) or 0)
        return row.snapshot() if row is not None else {"number": lead_of(event)}

    def fields_of(self, accounts: set[int]) -> dict[int, list[Field]]:
        found: dict[int, list[Field]] = defaultdict(list)
        for field in Field.objects.filter(kind=Field.Kind.LEAD, account_id__in=accounts):
            found[field.account_id].append(field)
        return found

    def people_of(self) -> dict[int, User]:
        numbers = {number_of(facts, "owner") for facts in self.facts}
        numbers |= {facts.get("created_by_id") for facts in self.facts}
        return User.objects.in_bulk(numbers - {None})

    def folders_of(self) -> dict[int, Company]:
        return Company.objects.in_bulk({number_of(facts, "client_folder") for facts in self.facts} - {None})

    def shapes(self, events: Sequence[Event]) -> list[dict[str, Any]]:
        """One for each of the events that this was made with, in their order."""
        return [self.shape(event, facts) for event, facts in zip(events, self.facts, strict=True)]

    def shape(self, event: Event, facts: Facts) -> dict[str, Any]:
        number = facts.get("number")
        owner = number_of(facts, "owner")
        row = self.rows.get(number or 0)
        folder = folder_shape(facts, self.folders)
        return {
            **own_facts(facts),
            **self.said(event, facts),
            "comment_count": row.comment_count if row else 0,
            "bcc_count": row.bcc_count if row else 0,
            "team": team_shape(self.teams[owner]) if owner in self.teams else None,
            "user": brief_user_shape(self.people.get(owner or 0)),
            "client_folder": folder,
            "client": folder,  # what the vendor's own connector calls it
            **({} if self.comments is None else {"comments": self.comments[number or 0]}),
        }

    def said(self, event: Event, facts: Facts) -> dict[str, Any]:
        """What the lead's texts say."""
        text, fields = text_of(facts.get("description") or ""), self.fields.get(event.account_id, [])
        meant, emails = by_meaning(text, fields, meanings.LEAD), self.emails.get(facts.get("number") or 0, [])
        creator = self.people.get(facts.get("created_by_id") or 0)
        return {
            "contact_email": meant["email"],
            "first_contact_email": emails[0] if emails else None,
            "all_contact_emails": emails,
            "fields": meant,
            "extended_info": {
                "created_by": brief_user_shape(creator),
                "created_by_id": facts.get("created_by_id"),
                "fields_by_name": by_name(text, fields),
            },
        }


def own_facts(facts: Facts) -> dict[str, Any]:
    description, amount = facts.get("description") or "", facts.get("amount")
    return {
        "id": facts.get("number"),
        "title": facts.get("title"),
        "description": html_of(description),
        "text_description": text_of(description),
        "amount": float(amount) if amount is not None else None,
        "currency": facts.get("currency"),
        "probability": facts.get("probability"),
        "reminder_at": at(facts, "reminder_at"),
        "reminder_duration": facts.get("reminder_duration"),
        "reminder_activity_id": number_of(facts, "reminder_activity"),
        "reminder_activity_name": name_of(facts, "reminder_activity"),
        "reminder_note": facts.get("reminder_note") or None,
        "remind_date": facts.get("remind_date"),
        "next_action_at": at(facts, "reminder_at"),
        "updated_at": at(facts, "updated_at"),
        "created_at": at(facts, "created_at"),
        "closed_at": at(facts, "closed_at"),
        "estimated_closing_date": facts.get("estimated_closing_date"),
        "starred": True if facts.get("starred") else None,
        "status": (facts.get("status") or "").capitalize(),
        "step": name_of(facts, "step"),
        "step_id": number_of(facts, "step"),
        "pipeline": name_of(facts, "pipeline"),
        "tags": facts.get("tags", []),
        "permalink": permalink("leads", facts.get("number")),
    }


def number_of(facts: Facts, name: str) -> int | None:
    """The id of another row that the facts name."""
    return (facts.get(name) or {}).get("number")


def name_of(facts: Facts, name: str) -> str | None:
    return (facts.get(name) or {}).get("name")


def at(facts: Facts, name: str) -> str | None:
    return moment(datetime.fromisoformat(facts[name])) if facts.get(name) else None


def teams_of(owners: set[int | None]) -> dict[int, Team]:
    """The first team of each of these people."""
    found: dict[int, Team] = {}
    teams = Team.objects.filter(members__user__in=owners - {None}).distinct().order_by("pk")
    for team in teams.prefetch_related("members__user"):
        for member in team.members.all():
            found.setdefault(member.user_id, team)
    return found


def folder_shape(facts: Facts, folders: Mapping[int, Company]) -> dict[str, Any] | None:
    named = facts.get("client_folder")
    if not named:
        return None
    folder = folders.get(named.get("number"))
    return {
        "id": named.get("number"),
        "name": named.get("name"),
        "description": html_of(folder.description) if folder else None,
        "is_active": folder.is_active if folder else None,
        "created_at": moment(folder.created_at) if folder else None,
    }


def comments_of(leads: set[int]) -> dict[int, list[dict[str, Any]]]:
    """Whoever works on a notification by mail wants the whole context."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for comment in Comment.objects.filter(lead__in=leads).select_related("author").order_by("pk"):
        found[comment.lead_id or 0].append(
            {
                "id": comment.pk,
                "content": text_of(comment.content),
                "created_at": moment(comment.created_at),
                "user": brief_user_shape(comment.author),
            }
        )
    return found
