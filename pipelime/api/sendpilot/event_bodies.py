"""What each event says, under every name that an endpoint may hear it by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from outreach.models import Campaign, ContactSearch, Enrolment, Incoming, Message
from outreach.searching import results_of
from pipelime.api.moments import utc_text
from pipelime.api.sendpilot import statuses
from pipelime.api.sendpilot.ids import id_of, written
from pipelime.api.sendpilot.lead_database import people
from pipelime.events.models import Event

Data = dict[str, Any]
PREVIEW = 100
MOST_LEADS = 1000
# What a lead was before an event made it something else, looked up from what it is now.
BEFORE = {
    "message.replied": statuses.MESSAGE_SENT,
    "connection.accepted": statuses.CONNECTION_SENT,
    "connection.sent": statuses.PENDING,
}
INTENTS = {intent: status for status, intent in statuses.BY_HAND.items()}
CAMPAIGNS = {"campaign.started": "started", "campaign.paused": "paused", "campaign.resumed": "resumed",
             "campaign.finished": "finished"}  # fmt: skip


def bodies_of(events: Sequence[Event], names: Mapping[int, tuple[str, ...]]) -> list[Data]:
    """{id, at, data: {name: data}} of each; the number of queries does not depend on how many there are."""
    rows = Rows(events)
    return [
        {"id": event_id(event), "at": utc_text(event.at), "data": data_of(event, names[event.pk], rows)}
        for event in events
    ]


def event_id(event: Event) -> str:
    """evt_<milliseconds>_<nine letters>."""
    return f"evt_{int(event.at.timestamp() * 1000)}_{event.uid.hex[-9:]}"


class Rows:
    """The leads, messages and searches that a batch of events is about."""

    def __init__(self, events: Sequence[Event]):
        ids: dict[str, set[int]] = {}
        for event in events:
            ids.setdefault(event.subject_type, set()).add(event.subject_id)
        self.incoming = Incoming.objects.in_bulk(ids.get("incoming", ()))
        answered = {one.message_id for one in self.incoming.values() if one.message_id}
        wanted = ids.get("message", set()) | answered
        self.messages = Message.objects.select_related("mailbox", "linkedin_account").in_bulk(wanted)
        leads = ids.get("enrolment", set()) | {
            row.enrolment_id for row in [*self.messages.values(), *self.incoming.values()] if row.enrolment_id
        }
        related = ("campaign", "contact", "mailbox", "linkedin_account")
        found = statuses.with_status(Enrolment.objects.filter(pk__in=leads)).select_related(*related)
        self.leads = {lead.pk: lead for lead in found}
        replies = Incoming.objects.filter(message__in=self.messages, kind=Incoming.Kind.REPLY).order_by("pk")
        self.replies = {one.message_id: one for one in replies}
        self.searches = ContactSearch.objects.in_bulk(ids.get("contactsearch", ()))

    def message_of(self, event: Event) -> Message | None:
        if event.subject_type == "incoming":
            incoming = self.incoming.get(event.subject_id)
            return self.messages.get(incoming.message_id) if incoming else None
        return self.messages.get(event.subject_id) if event.subject_type == "message" else None

    def lead_of(self, event: Event) -> Any:
        if event.subject_type == "enrolment":
            return self.leads.get(event.subject_id)
        about = (
            self.incoming.get(event.subject_id)
            if event.subject_type == "incoming"
            else self.message_of(event)
        )
        return self.leads.get(about.enrolment_id) if about else None

    def reply_of(self, event: Event) -> Incoming | None:
        if event.subject_type == "incoming":
            return self.incoming.get(event.subject_id)
        return self.replies.get(event.subject_id)


def data_of(event: Event, names: Sequence[str], rows: Rows) -> dict[str, Data]:
    return {name: WRITERS.get(name, nothing)(event, rows) for name in names}


def nothing(event: Event, rows: Rows) -> Data:
    return {"message": "This is a test event"}


def lead_head(event: Event, rows: Rows) -> Data:
    lead = rows.lead_of(event)
    if lead is None:
        return {"leadId": None, "campaignId": None, "linkedinUrl": None}
    return {
        "leadId": id_of(lead),
        "campaignId": id_of(lead.campaign),
        "linkedinUrl": lead.contact.linkedin_url or None,
    }


def sender_of(event: Event, rows: Rows) -> str | None:
    lead = rows.lead_of(event)
    for row in (rows.message_of(event), lead):
        sender = (row.linkedin_account or row.mailbox) if row is not None else None
        if sender is not None:
            return id_of(sender)
    return None


def message_sent(event: Event, rows: Rows) -> Data:
    message = rows.message_of(event)
    said = (message.text or message.subject) if message else ""
    data = {**lead_head(event, rows), "senderId": sender_of(event, rows), "message": said}
    return data | ({"sequenceStep": message.step_number} if message and message.step_number else {})


def message_received(event: Event, rows: Rows) -> Data:
    reply = rows.reply_of(event)
    preview = reply.text[:PREVIEW] if reply else ""
    return {**lead_head(event, rows), "senderId": sender_of(event, rows), "replyPreview": preview}


def connection(event: Event, rows: Rows) -> Data:
    return {**lead_head(event, rows), "senderId": sender_of(event, rows)}


def campaign(event: Event, rows: Rows) -> Data:
    done, facts = CAMPAIGNS[event.name], event.facts
    data = {
        "campaignId": written(Campaign, facts["id"]),
        "campaignName": facts.get("name"),
        f"{done}At": utc_text(event.at),
    }
    return data | ({f"{done}By": who(event)} if done in ("paused", "resumed", "started") else {})


def who(event: Event) -> str:
    """ "api" is a key: it has a name and is nobody."""
    if event.actor_id:
        return "user"
    return "api" if event.actor_name else "system"


def status_changed(event: Event, rows: Rows) -> Data:
    lead = rows.lead_of(event)
    now = lead.vendor_status if lead is not None else None
    return {**lead_head(event, rows), "previousStatus": before(event, lead), "newStatus": now}


def older_status_changed(event: Event, rows: Rows) -> Data:
    changed_by = {"system": "automation"}.get(who(event), who(event))
    return {**status_changed(event, rows), "changedBy": changed_by}


def before(event: Event, lead: Any) -> str | None:
    """The status before, as far as the event tells."""
    if event.name == "message.sent":
        return statuses.CONNECTION_ACCEPTED if lead is not None and lead.connected_at else statuses.PENDING
    if event.name in BEFORE:
        return BEFORE[event.name]
    changes = event.data.get("changes") or {}
    intent, _ = changes.get("intent") or ("", "")
    if intent in INTENTS:
        return INTENTS[intent]
    if lead is None:
        return None
    over = "status" not in changes and lead.state in statuses.ENDED and not lead.replied_at
    return statuses.DONE if over and event.facts.get("intent") else lead.furthest


def tags_changed(event: Event, rows: Rows) -> Data:
    facts = event.facts
    changes = event.data.get("changes") or {}
    old, new = (changes.get("tags") or [[], []])[:2]
    return {"linkedinUrl": facts.get("linkedin_url") or None, "previousTags": old, "tags": new}


def search_completed(event: Event, rows: Rows) -> Data:
    search = rows.searches.get(event.subject_id)
    if search is None:
        return {"search_id": None}
    found = results_of(search, start=0, count=MOST_LEADS)
    ended = search.completed_at or event.at
    return {
        "search_id": id_of(search),
        "search_name": search.name,
        "total_leads_found": len(search.contact_ids),
        "requested_limit": search.requested,
        "started_at": utc_text(search.created_at),
        "completed_at": utc_text(ended),
        "duration_ms": max(0, int((ended - search.created_at).total_seconds() * 1000)),
        "filters": {name: search.filters.get(name, []) for name in FILTERS},
        "leads": people(found),
        "results_url": f"/api/v1/lead-database/searches/{id_of(search)}/results",
    }


FILTERS = ("job_titles", "locations", "industries", "company_sizes")
WRITERS: dict[str, Callable[[Event, Rows], Data]] = {
    "message.sent": message_sent,
    "message.received": message_received,
    "reply.received": message_received,
    "connection.sent": connection,
    "connection_request.sent": connection,
    "connection.accepted": connection,
    "connection_request.accepted": connection,
    "lead.status.changed": older_status_changed,
    "lead.updated": status_changed,
    "lead.tag.updated": tags_changed,
    "lead_database.search.completed": search_completed,
    **dict.fromkeys(CAMPAIGNS, campaign),
}
