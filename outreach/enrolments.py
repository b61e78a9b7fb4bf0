"""Moving enrolments: stopping, holding and releasing them, and giving their unsent messages up.

Whoever changes several kinds of rows locks them in one order, or two would wait for each other:
contact, account, campaign, mailbox, enrolment, message, cap; rows of a kind by id. A row is locked before it
is judged: a claim or a plan that is about to commit is then waited for instead of overlooked.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from outreach import caps
from outreach.models import Campaign, Enrolment, Message
from pipelime.bulk import in_chunks
from pipelime.doorbell import ring
from pipelime.events.recording import record, record_all

LIVE = (
    Enrolment.State.WAITING, Enrolment.State.IN_FLIGHT, Enrolment.State.HELD, Enrolment.State.PAUSED,
)  # fmt: skip
UNSENT = (Message.State.QUEUED, Message.State.CLAIMED, Message.State.TODO)
UNCAPPED = {"mailbox_day": None, "campaign_day": None, "account_day": None}
CHUNK = 1000


def locked(rows: QuerySet) -> QuerySet:
    """The rows as they are once nobody else changes them. NO KEY: new rows may go on referring to them."""
    return rows.select_for_update(of=("self",), no_key=True).order_by("pk")


def locked_ids(rows: QuerySet) -> list[int]:
    """The same of rows that are only to be held, or moved by an update."""
    return list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))


def stop(enrolments: QuerySet[Enrolment], *, reason: str, state: str = Enrolment.State.STOPPED) -> int:
    """End these enrolments and cancel what is not on its way yet. What is being sent cannot be recalled.

    A thousand go in one transaction, unless the caller has one open.
    """
    ids = list(enrolments.filter(state__in=LIVE).order_by("pk").values_list("pk", flat=True))
    return sum(stop_some(chunk, reason, state) for chunk in in_chunks(ids, CHUNK))


@transaction.atomic
def stop_some(ids: list[int], reason: str, state: str) -> int:
    live = list(
        locked(Enrolment.objects.filter(pk__in=ids, state__in=LIVE).select_related("campaign", "contact"))
    )
    held = [enrolment.pk for enrolment in live]
    cancel(Message.objects.filter(enrolment__in=held), error=reason)
    Enrolment.objects.filter(pk__in=held).update(state=state, reason=reason[:500], updated_at=timezone.now())
    for enrolment in live:
        enrolment.state, enrolment.reason = state, reason[:500]
    record_all("enrolment.status_changed", [(enrolment, {}) for enrolment in live], by=None)
    return len(live)


@transaction.atomic
def release(enrolments: QuerySet[Enrolment], *, by) -> int:
    """What was held because something had to be mended waits for its turn again."""
    held = enrolments.filter(state=Enrolment.State.HELD)
    campaign_ids = set(held.order_by().values_list("campaign_id", flat=True))
    if not campaign_ids:
        return 0
    reopen(Campaign.objects.filter(pk__in=campaign_ids))
    freed = list(locked(held.select_related("campaign", "contact")))
    Enrolment.objects.filter(pk__in=[enrolment.pk for enrolment in freed]).update(
        state=Enrolment.State.WAITING, reason="", updated_at=timezone.now()
    )
    for enrolment in freed:
        enrolment.state, enrolment.reason = Enrolment.State.WAITING, ""
    record_all("enrolment.status_changed", [(enrolment, {}) for enrolment in freed], by=by)
    ring("outreach.tasks.plan_due")
    return len(freed)


def reopen(campaigns: QuerySet[Campaign]) -> list[Campaign]:
    """Lock the campaigns, so that none finishes meanwhile; a finished one that has work again goes on."""
    found = list(locked(campaigns))
    for campaign in found:
        if campaign.status == Campaign.Status.FINISHED and not campaign.deleted_at:
            campaign.status, campaign.finished_at = Campaign.Status.STARTED, None
            campaign.save(update_fields=["status", "finished_at", "updated_at"])
            record("campaign.resumed", campaign, by=None)
    return found


def replan(messages: QuerySet[Message], *, error: str) -> int:
    """Give unsent messages up; their enrolments wait again, with the due time they had."""
    unsent = messages.filter(state__in=UNSENT, enrolment__isnull=False)
    ids = list(unsent.order_by("enrolment_id").values_list("enrolment_id", flat=True))
    return sum(replan_some(messages, chunk, error) for chunk in in_chunks(ids, CHUNK))


@transaction.atomic
def replan_some(messages: QuerySet[Message], enrolment_ids: list[int], error: str) -> int:
    live = locked_ids(Enrolment.objects.filter(pk__in=enrolment_ids))
    cancelled = cancel(messages.filter(enrolment__in=live), error=error)
    wait_again(message.enrolment_id for message in cancelled if message.enrolment_id)
    return len(cancelled)


def wait_again(enrolment_ids: Iterable[int]) -> None:
    Enrolment.objects.filter(pk__in=list(enrolment_ids), state=Enrolment.State.IN_FLIGHT).update(
        state=Enrolment.State.WAITING, updated_at=timezone.now()
    )


def cancel(messages: QuerySet[Message], *, error: str) -> list[Message]:
    """Cancel what is queued or claimed. The fence moves, so a worker that holds one cannot send it."""
    needed = ("pk", "account_id", "enrolment_id", "mailbox_id", "campaign_id", *UNCAPPED)
    found = list(locked(messages.filter(state__in=UNSENT)).only(*needed))
    Message.objects.filter(pk__in=[message.pk for message in found]).update(
        state=Message.State.CANCELLED,
        fence=F("fence") + 1,
        lease_until=None,
        last_error=error[:2000],
        **UNCAPPED,
    )
    caps.give_back(found)
    return found
