"""The leads, messages and searches that a batch of events is about, read in a few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Q

from outreach.models import ContactSearch, Enrolment, Incoming, Message
from pipelime.events.models import Event

SENDERS = ("mailbox", "linkedin_account")
PARTS = ("campaign", "contact", *SENDERS)


class Rows:
    """How many queries there are does not depend on how many events there are."""

    def __init__(self, events: Sequence[Event]):
        ids: dict[str, set[int]] = defaultdict(set)
        for event in events:
            ids[event.subject_type].add(event.subject_id)
        incoming = Incoming.objects.select_related(*SENDERS)
        self.incoming = incoming.in_bulk(ids["incoming"])
        answered = {one.message_id for one in self.incoming.values() if one.message_id}
        self.messages = Message.objects.select_related(*SENDERS).in_bulk(ids["message"] | answered)
        self.searches = ContactSearch.objects.in_bulk(ids["contactsearch"])
        replies = incoming.filter(message__in=list(self.messages), kind=Incoming.Kind.REPLY).order_by("pk")
        self._replies = {reply.message_id: reply for reply in replies}
        self._read_leads(ids["enrolment"], ids["contact"])

    def _read_leads(self, named: set[int], contacts: set[int]) -> None:
        about = [*self.messages.values(), *self.incoming.values()]
        named = named | {row.enrolment_id for row in about if row.enrolment_id}
        # What no sequence sends names nobody but the contact.
        outside = {row.contact_uid for row in self.messages.values() if not row.enrolment_id}
        of_people = Q(contact__in=contacts) | Q(contact__uid__in=outside - {None})
        alive = of_people & Q(campaign__deleted_at=None) if contacts or outside - {None} else Q(pk__in=())
        found = Enrolment.objects.filter(Q(pk__in=named) | alive).select_related(*PARTS).order_by("pk")
        self.leads = {lead.pk: lead for lead in found}
        self.places: dict[int, list[Enrolment]] = defaultdict(list)
        for lead in self.leads.values():
            self.places[lead.contact_id].append(lead)
        self._by_contact = {places[-1].contact.uid: places[-1] for places in self.places.values()}
        self.sent = sent_to(self.leads)

    def message_of(self, event: Event) -> Message | None:
        if event.subject_type == "incoming":
            incoming = self.incoming.get(event.subject_id)
            return self.messages.get(incoming.message_id or 0) if incoming else None
        return self.messages.get(event.subject_id) if event.subject_type == "message" else None

    def lead_of(self, event: Event) -> Enrolment | None:
        """The lead whose sequence the event belongs to."""
        if event.subject_type == "enrolment":
            return self.leads.get(event.subject_id)
        message, incoming = self.message_of(event), self.incoming.get(event.subject_id)
        about = incoming if event.subject_type == "incoming" else message
        return self.leads.get(about.enrolment_id or 0) if about else None

    def person_of(self, event: Event) -> Enrolment | None:
        """The lead itself, or else the newest place of the contact that a message is to."""
        message = self.message_of(event)
        uid = message.contact_uid if message else None
        return self.lead_of(event) or (self._by_contact.get(uid) if uid else None)

    def reply_of(self, event: Event) -> Incoming | None:
        if event.subject_type == "incoming":
            return self.incoming.get(event.subject_id)
        return self._replies.get(event.subject_id)


def sent_to(leads: Iterable[int]) -> dict[int, list[tuple[int, str]]]:
    """Of each lead, (id, channel) of what its sequence has sent."""
    sent: dict[int, list[tuple[int, str]]] = defaultdict(list)
    messages = Message.objects.filter(enrolment__in=list(leads), state=Message.State.SENT)
    for lead, message, channel in messages.values_list("enrolment_id", "pk", "channel"):
        sent[lead or 0].append((message, channel))
    return sent
