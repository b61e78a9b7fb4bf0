"""What each event says, under every name that an endpoint may hear it by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from outreach.models import Campaign, Enrolment
from outreach.searching import results_of
from pipelime.api.moments import utc_text
from pipelime.api.sendpilot.event_rows import Rows
from pipelime.api.sendpilot.ids import id_of, written
from pipelime.api.sendpilot.lead_database import people
from pipelime.api.sendpilot.status_changes import change_of
from pipelime.events.models import Event

Data = dict[str, Any]
PREVIEW = 100
MOST_LEADS = 1000
LEAD_CHANGED = ("lead.status.changed", "lead.updated")
CAMPAIGNS = {"campaign.started": "started", "campaign.paused": "paused", "campaign.resumed": "resumed",
             "campaign.finished": "finished"}  # fmt: skip


def bodies_of(events: Sequence[Event], names: Mapping[str, tuple[str, ...]]) -> list[Data]:
    """{at, events: {name: {id, data}}} of each; how many queries there are does not depend on how many."""
    rows = Rows(events)
    return [{"at": utc_text(event.at), "events": told(event, names[event.name], rows)} for event in events]


def told(event: Event, names: Sequence[str], rows: Rows) -> dict[str, Data]:
    return {
        name: {"id": event_id(event, name), "data": WRITERS.get(name, nothing)(event, rows)} for name in names
    }


def event_id(event: Event, name: str) -> str:
    """evt_<milliseconds>_<nine letters>. What an event makes of a lead's status is an event of its own."""
    letters = event.uid.hex[-9:]
    if name in LEAD_CHANGED and event.name != "enrolment.status_changed":
        letters = hashlib.sha256(f"{event.uid} status".encode()).hexdigest()[:9]
    return f"evt_{int(event.at.timestamp() * 1000)}_{letters}"


def nothing(event: Event, rows: Rows) -> Data:
    return {"message": "This is a test event"}


def lead_head(event: Event, rows: Rows) -> Data:
    head, message = head_of(rows.person_of(event)), rows.message_of(event)
    if head["linkedinUrl"] is None and message is not None:
        head["linkedinUrl"] = message.profile_url or None
    return head


def head_of(lead: Enrolment | None) -> Data:
    if lead is None:
        return {"leadId": None, "campaignId": None, "linkedinUrl": None}
    url = lead.contact.linkedin_url or None
    return {"leadId": id_of(lead), "campaignId": id_of(lead.campaign), "linkedinUrl": url}


def sender_of(event: Event, rows: Rows) -> str | None:
    """Who wrote, or who was written to."""
    answer = rows.reply_of(event) if event.name == "message.replied" else None
    for row in (answer, rows.message_of(event), rows.person_of(event)):
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
    change = change_of(event, rows)
    return {**lead_head(event, rows), "previousStatus": change.previous, "newStatus": change.new}


def older_status_changed(event: Event, rows: Rows) -> Data:
    changed_by = {"system": "automation"}.get(who(event), who(event))
    return {**status_changed(event, rows), "changedBy": changed_by}


def tags_changed(event: Event, rows: Rows) -> Data:
    """The tags are the contact's: `leads` are all of its places, the first three keys tell the newest."""
    places = rows.places[event.subject_id]
    old, new = event.data["changes"]["tags"]
    return {
        **head_of(places[-1] if places else None),
        "previousTags": old,
        "tags": new,
        "leads": [{"leadId": id_of(lead), "campaignId": id_of(lead.campaign)} for lead in places],
    }


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
    **dict(zip(LEAD_CHANGED, (older_status_changed, status_changed), strict=True)),
    "lead.tag.updated": tags_changed,
    "lead_database.search.completed": search_completed,
    **dict.fromkeys(CAMPAIGNS, campaign),
}
