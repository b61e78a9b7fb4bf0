"""What a person says about a contact in a campaign: that they answered, what they meant, that it is done."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from outreach.enrolments import LIVE, locked, stop
from outreach.models import Enrolment
from pipelime.errors import Invalid
from pipelime.events.recording import record

LONGEST_NOTE = 5000


@transaction.atomic
def mark(enrolment: Enrolment, *, by, note: str = "", **facts: Any) -> Enrolment:
    """`facts`: intent=…, has_replied=True, is_connected=True, is_done=True. One event tells of them.

    Whoever has answered, and whoever is done, gets nothing more where the campaign stops for answers.
    """
    if len(note) > LONGEST_NOTE:
        raise Invalid(f"The note has {len(note):,} characters; at most {LONGEST_NOTE:,}", field="note")
    enrolment = locked(Enrolment.objects.filter(pk=enrolment.pk).select_related("campaign", "contact")).get()
    before, now = told(enrolment), timezone.now()
    if "intent" in facts:
        enrolment.intent = facts["intent"]
    if facts.get("has_replied"):
        enrolment.replied_at = enrolment.replied_at or now
    if facts.get("is_connected"):
        enrolment.connected_at = enrolment.connected_at or now
    enrolment.updated_at = now
    enrolment.save(update_fields=["intent", "replied_at", "connected_at", "updated_at"])
    end(enrolment, facts)
    enrolment.refresh_from_db()
    after = told(enrolment)
    changes = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    record("enrolment.status_changed", enrolment, by=by, changes=changes, note=note)
    return enrolment


def told(enrolment: Enrolment) -> dict[str, Any]:
    """What the event says of it before and after."""
    moments = {"replied_at": enrolment.replied_at, "connected_at": enrolment.connected_at}
    return enrolment.snapshot() | {name: at and at.isoformat() for name, at in moments.items()}


def end(enrolment: Enrolment, facts: dict[str, Any]) -> None:
    place = Enrolment.objects.filter(pk=enrolment.pk, state__in=LIVE)
    finished = Enrolment.objects.filter(pk=enrolment.pk, state=Enrolment.State.FINISHED)
    if facts.get("is_done"):
        stop(place, reason="done", state=Enrolment.State.FINISHED)
        finished.update(reason="done")
    elif facts.get("has_replied") and finished.update(reason="replied"):
        return
    elif (facts.get("has_replied") or facts.get("intent")) and enrolment.campaign.stop_on_reply:
        stop(place, reason="replied")
