"""LinkedIn accounts: connecting, changing and pausing the profiles that campaigns work with."""

from __future__ import annotations

from secrets import token_urlsafe
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from outreach import direct
from outreach.enrolments import replan
from outreach.linkedin.profiles import normal
from outreach.linkedin.settings import set_provider
from outreach.models import LinkedInAccount, Message
from pipelime import locks
from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import Account, User
from pipelime.accounts.notices import send_notice
from pipelime.changing import assign, check_belongs, checked, only_known, reread
from pipelime.doorbell import ring
from pipelime.errors import Conflict, Invalid
from pipelime.events.recording import record

FIELDS = ("name", "profile_url", "daily_limit", "time_zone", "owner")
MOST_A_DAY = 1000


@transaction.atomic
def create_linkedin_account(
    account: Account,
    *,
    by,
    name: str,
    profile_url: str,
    daily_limit: int = 20,
    time_zone: str = "",
    owner: User | None = None,
    provider: dict[str, str] | None = None,
) -> LinkedInAccount:
    """Without an owner it is owned by the person who connects it. Without a provider its steps are tasks.

    `provider` is {kind, url, account, key}.
    """
    person = person_acting(by, account.pk)
    row = LinkedInAccount(account=account, created_by=person, hook_key=token_urlsafe(32))
    given = {"name": name, "profile_url": profile_url, "daily_limit": daily_limit, "time_zone": time_zone}
    assign(row, clean(given, row) | {"owner": owner or person})
    set_provider(row, provider)
    check(row)
    row.save()
    record("linkedin_account.created", row, by=by)
    return row


@transaction.atomic
def update_linkedin_account(row: LinkedInAccount, *, by, **changes: Any) -> LinkedInAccount:
    """Change what is given. `provider` takes parts; a key left out is kept, and None means by hand again."""
    only_known("a LinkedIn account", changes, (*FIELDS, "provider"))
    reread(row)
    before = row.owner_id
    given = {name: value for name, value in changes.items() if name != "provider"}
    changed = assign(row, clean(given, row))
    if "provider" in changes and set_provider(row, changes["provider"]):
        changed["provider"] = ["", "changed"]
    check(row)
    if not changed:
        return row
    row.save()
    follow(row, changed, before)
    record("linkedin_account.updated", row, by=by, changes=changed)
    ring("outreach.tasks.plan_due")
    return row


def clean(given: dict[str, Any], row: LinkedInAccount) -> dict[str, Any]:
    """The values as they are stored. An account has each profile once."""
    values = {name: value for name, value in given.items() if name != "owner"}
    if "profile_url" in values:
        values["profile_url"] = normal(values["profile_url"])
        locks.hold("linkedin_account", row.account_id)  # of two who find nothing, the second looks again
        others = LinkedInAccount.objects.alive().exclude(pk=row.pk)
        if known := others.filter(profile_url=values["profile_url"]).first():
            raise Conflict(f"{known.profile_url} is connected already", existing=str(known.uid))
    owner = {"owner": given["owner"]} if "owner" in given else {}
    return checked(LinkedInAccount, values) | owner


def check(row: LinkedInAccount) -> None:
    if not row.name:
        raise Invalid("name: say whose profile it is, such as Ada Lovelace", field="name")
    if not 1 <= row.daily_limit <= MOST_A_DAY:
        raise Invalid(
            f"daily_limit: {row.daily_limit} is no whole number from 1 to {MOST_A_DAY:,}", field="daily_limit"
        )
    check_belongs(row.owner, row.account_id, field="owner")


def follow(row: LinkedInAccount, changed: dict[str, Any], owner_before: int | None) -> None:
    """What waits in it goes the new way: a provider's work becomes tasks, or tasks a provider's work."""
    own = Message.objects.filter(linkedin_account=row)
    if "provider" in changed:
        replan(own, error="the LinkedIn account works another way now")
    if "owner" in changed:
        own.filter(state=Message.State.TODO, assignee=owner_before).update(assignee=row.owner)


@transaction.atomic
def delete_linkedin_account(row: LinkedInAccount, *, by) -> None:
    """Disconnect: nothing more is done with it and its keys are forgotten; what was done stays on record."""
    reread(row)
    row.deleted_at = timezone.now()
    row.provider_key = row.hook_key = ""
    row.save(update_fields=["deleted_at", "provider_key", "hook_key", "updated_at"])
    own = Message.objects.filter(linkedin_account=row)
    replan(own, error="the LinkedIn account was disconnected")
    direct.drop(own, reason="the LinkedIn account was disconnected")
    record("linkedin_account.deleted", row, by=by)
    ring("outreach.tasks.plan_due")


@transaction.atomic
def pause_linkedin_account(row: LinkedInAccount, *, by, reason: str) -> None:
    """Nothing more is planned or sent with it. Tasks that wait for a person stay: they are theirs to do.

    When the machine pauses it, whoever minds it is told, once.
    """
    changed = LinkedInAccount.objects.filter(pk=row.pk, paused_at=None).update(
        paused_at=timezone.now(), pause_reason=reason[:500]
    )
    if not changed:
        return
    row.refresh_from_db()
    queued = Message.objects.filter(linkedin_account=row).exclude(state=Message.State.TODO)
    replan(queued, error="the LinkedIn account was paused")
    direct.take_back(queued, error="the LinkedIn account was paused")
    record("linkedin_account.paused", row, by=by)
    if by is None:
        tell(row)


@transaction.atomic
def resume_linkedin_account(row: LinkedInAccount, *, by) -> None:
    changed = LinkedInAccount.objects.filter(pk=row.pk, paused_at__isnull=False).update(
        paused_at=None, pause_reason=""
    )
    if changed:
        row.refresh_from_db()
        record("linkedin_account.resumed", row, by=by)
        ring("outreach.tasks.plan_due")
        ring("outreach.tasks.work_linkedin")  # what people wrote has waited in it


def tell(row: LinkedInAccount) -> None:
    """Its owner hears why it stands still; without one, the administrators do."""
    text = (
        f"Nothing is done with the LinkedIn account {row.name} any more.\n\n{row.pause_reason}\n\n"
        "Mend this with the provider, then resume the account in Pipelime under LinkedIn accounts.\n"
    )
    for person in minders(row):
        send_notice(row.account, person.email, f"The LinkedIn account {row.name} is paused", text)


def minders(row: LinkedInAccount) -> QuerySet[User]:
    people = User.objects.active().filter(account=row.account)
    own = people.filter(pk=row.owner_id)
    return own if own.exists() else people.filter(Q(is_admin=True))
