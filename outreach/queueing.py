"""Writing slots down: mails and a provider's messages as queued, what a person does as a task for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from django.utils import timezone

from outreach.composing import message_id
from outreach.enrolments import locked_ids
from outreach.models import Campaign, EmailAccount, Enrolment, LinkedInAccount, Message
from outreach.scheduling import Slot, Via
from pipelime.bulk import insert_rows, take_ids
from pipelime.doorbell import ring
from pipelime.ids import uuid7

log = structlog.get_logger(__name__)

STICKY = {Via.MAIL: "mailbox_id", Via.LINKEDIN: "linkedin_account_id"}
BELLS = {Via.MAIL: "outreach.tasks.send_due", Via.LINKEDIN: "outreach.tasks.work_linkedin"}
COLUMNS = (
    "id", "uid", "account_id", "enrolment_id", "campaign_id", "channel", "mailbox_id", "linkedin_account_id",
    "assignee_id", "contact_uid", "step_number", "variant", "to_address", "to_name", "from_address",
    "campaign_name", "message_id", "subject", "state", "due_at", "slot_at", "fence", "claim", "attempts",
    "last_error", "followed_up", "created_at",
)  # fmt: skip
PERSON = (
    "pk", "address", "contact__uid", "contact__first_name", "contact__last_name", "mailbox__owner_id",
)  # fmt: skip


class Person(NamedTuple):
    address: str
    contact_uid: UUID
    first_name: str
    last_name: str
    mailbox_owner_id: int | None  # of the one that has begun to write to them

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Way(NamedTuple):
    """How a message goes: from whom, to which address, and who does it if a person does."""

    state: str
    own_id: str
    to_address: str = ""
    from_address: str = ""
    mailbox_id: int | None = None
    linkedin_id: int | None = None
    assignee_id: int | None = None


def queue(slots: Sequence[Slot], campaign_of: Mapping[int, Campaign]) -> None:
    """Write slots as messages, and mark their enrolments as in flight."""
    slots = still_waiting(slots)
    ids = [slot.enrolment_id for slot in slots]
    people = {
        pk: Person(*person) for pk, *person in Enrolment.objects.filter(pk__in=ids).values_list(*PERSON)
    }
    now, rows = timezone.now(), []
    for pk, slot in zip(take_ids(Message, len(slots)), slots, strict=True):
        campaign = campaign_of[slot.enrolment_id]
        rows.append([pk, *message_row(slot, people[slot.enrolment_id], campaign), now])
    insert_rows(Message, COLUMNS, rows)
    by_sender: dict[tuple[Via, int | None], list[int]] = {}
    for slot in slots:
        by_sender.setdefault((slot.via, slot.sender_id), []).append(slot.enrolment_id)
    for (via, sender_id), some in by_sender.items():
        kept = {STICKY[via]: sender_id} if via in STICKY else {}
        Enrolment.objects.filter(pk__in=some).update(**kept, state=Enrolment.State.IN_FLIGHT, updated_at=now)
    for via in {slot.via for slot in slots} & BELLS.keys():
        ring(BELLS[via])


def still_waiting(slots: Sequence[Slot]) -> list[Slot]:
    """Without those who were stopped while the plan was made, and those who have this step already."""
    ids = [slot.enrolment_id for slot in slots]
    waiting = set(locked_ids(Enrolment.objects.filter(pk__in=ids, state=Enrolment.State.WAITING)))
    written = Message.objects.filter(enrolment__in=ids).exclude(state=Message.State.CANCELLED)
    served = set(written.values_list("enrolment_id", "step_number"))
    twice = {slot.enrolment_id for slot in slots if (slot.enrolment_id, slot.step_number) in served}
    if twice:
        log.error("planning.step_has_its_message", enrolments=sorted(twice)[:20])
        mend(twice)
    return [slot for slot in slots if slot.enrolment_id in waiting - twice]


def mend(enrolment_ids: Collection[int]) -> None:
    """Their message decides anew where they stand: else one wrong row would stop every later plan."""
    Enrolment.objects.filter(pk__in=enrolment_ids).update(state=Enrolment.State.IN_FLIGHT)
    done = Message.objects.filter(enrolment__in=enrolment_ids, state__in=("sent", "skipped"))
    done.update(followed_up=False)


def message_row(slot: Slot, person: Person, campaign: Campaign) -> list[Any]:
    uid = uuid7()
    channel = next(step.channel for step in campaign.steps.all() if step.number == slot.step_number)
    way = way_of(slot, person, campaign, uid)
    return [
        uid, campaign.account_id, slot.enrolment_id, campaign.pk, channel, way.mailbox_id, way.linkedin_id,
        way.assignee_id, person.contact_uid, slot.step_number, slot.variant, way.to_address, person.name,
        way.from_address, campaign.name, way.own_id, "", way.state, slot.at, slot.at, 0, "", 0, "", False,
    ]  # fmt: skip


def way_of(slot: Slot, person: Person, campaign: Campaign, uid: UUID) -> Way:
    if slot.via is Via.MAIL:
        mailbox = next(one for one in campaign.mailboxes.all() if one.pk == slot.sender_id)
        return by_mail(mailbox, person, uid)
    # Nothing has it but the ledger, which wants every row to have one of its own.
    own_id = f"<{uid}@steps.invalid>"
    if slot.via is Via.LINKEDIN:
        account = next(one for one in campaign.linkedin_accounts.all() if one.pk == slot.sender_id)
        return by_linkedin(account, own_id)
    return Way(Message.State.TODO, own_id, assignee_id=person.mailbox_owner_id or campaign.created_by_id)


def by_mail(mailbox: EmailAccount, person: Person, uid: UUID) -> Way:
    # The Message-ID is stored before the dialogue and kept on every retry.
    own_id = message_id(uid, mailbox.email.rpartition("@")[2])
    return Way(Message.State.QUEUED, own_id, person.address, mailbox.email, mailbox_id=mailbox.pk)


def by_linkedin(account: LinkedInAccount, own_id: str) -> Way:
    """A provider sends it; without one it is a task for the account's owner."""
    is_sent = bool(account.provider)
    return Way(
        Message.State.QUEUED if is_sent else Message.State.TODO,
        own_id,
        from_address=account.name,
        linkedin_id=account.pk,
        assignee_id=None if is_sent else account.owner_id,
    )
