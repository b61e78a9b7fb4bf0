"""What a campaign's page is made of: its editor, its contacts, and ways to other pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import NoReverseMatch, reverse

from crm.importing.values import email_key
from crm.models import Contact
from outreach.admin.campaign_forms import CampaignForm, shown
from outreach.admin.step_forms import StepForms, WindowForms, step_facts, window_facts
from outreach.campaign_facts import facts
from outreach.models import Campaign, Enrolment
from pipelime.backoffice.admin import Link
from pipelime.errors import Conflict, Invalid, NotFound

CONTACTS_SHOWN = 25
CONTACTS_OFFERED = 20
# What a row of the page's contacts offers, by the state that it is in.
MOVES = {
    Enrolment.State.WAITING: ("pause", "remove"),
    Enrolment.State.IN_FLIGHT: ("pause", "remove"),
    Enrolment.State.PAUSED: ("resume", "remove"),
    Enrolment.State.HELD: ("release", "remove"),
}
# Pages of a campaign that other modules register.
ELSEWHERE = (("Plan", "plan", "event_upcoming"), ("Statistics", "stats", "monitoring"))


def editor(begin: Mapping[str, Any], data: Any = None, *, begun: bool = False, **own: Any) -> dict[str, Any]:
    """The forms of everything that a campaign is told, filled with these facts or with what was posted."""
    return {
        "form": CampaignForm(data, {**shown(begin), **own}),
        "steps": StepForms(data, initial=step_facts(begin["steps"], begun=begun), prefix="steps"),
        "windows": WindowForms(data, initial=window_facts(begin["schedule"]["windows"]), prefix="windows"),
    }


def editor_of(campaign: Campaign, data: Any = None) -> dict[str, Any]:
    own = {"name": campaign.name, "seen_at": campaign.updated_at.isoformat()}
    return editor(facts(campaign), data, begun=campaign.status != Campaign.Status.DRAFT, **own)


def is_valid(page: Mapping[str, Any]) -> bool:
    """Asks all of them, so that each shows its own faults."""
    return {form.is_valid() for form in page.values()} == {True}


def given(page: Mapping[str, Any]) -> dict[str, Any]:
    return page["form"].given(page["windows"].given()) | {"steps": page["steps"].given()}


def places(campaign: Campaign) -> list[tuple[Enrolment, tuple[str, ...]]]:
    """The campaign's contacts, the latest first, each with what may be done about it."""
    rows = Enrolment.objects.filter(campaign=campaign).select_related("contact").order_by("-pk")
    rows = rows.prefetch_related("contact__emails")[:CONTACTS_SHOWN]
    return [(row, MOVES.get(Enrolment.State(row.state), ())) for row in rows]


def elsewhere(campaign: Campaign) -> list[Link]:
    found = []
    for label, page, icon in ELSEWHERE:
        try:
            found.append(Link(label, reverse(f"admin:outreach_campaign_{page}", args=[campaign.pk]), icon))
        except NoReverseMatch:
            continue
    return found


def take(form: CampaignForm, refusal: Invalid | Conflict) -> None:
    """Onto the field it names when the form has it, else above the form."""
    for name, said in (getattr(refusal, "fields", None) or {"": [str(refusal)]}).items():
        form.add_error(name if name in form.fields else None, list(said))


def offered(campaign: Campaign) -> list[Contact]:
    """Contacts to try the words on: those of the campaign first."""
    mine = Contact.objects.alive().filter(enrolments__campaign=campaign).order_by("pk")
    found = list(mine.prefetch_related("emails")[:CONTACTS_OFFERED])
    return found or list(Contact.objects.alive().prefetch_related("emails").order_by("pk")[:CONTACTS_OFFERED])


def contact_with(address: str) -> Contact:
    contact = (
        Contact.objects.alive().with_address(email_key(address.strip())).first() if address.strip() else None
    )
    if contact is None:
        raise NotFound(f"No contact has the address {address!r}; choose one of the list")
    return contact


def whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 1
