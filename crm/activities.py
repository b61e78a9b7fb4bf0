"""Activity types with their outcomes, and the activities that people plan and log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from crm.models import Activity, ActivityType, Lead
from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import Account, User
from pipelime.changing import (
    assign,
    check_belongs,
    check_person,
    check_value,
    check_zoned,
    checked,
    conflict_when_taken,
    only_known,
    reread,
)
from pipelime.errors import Conflict, Invalid
from pipelime.events.recording import record

LOOKS = ("name", "kind", "icon", "color", "position", "is_disabled")


@transaction.atomic
def create_activity_type(
    account: Account, *, by, name: str, kind: str = "other", parent: ActivityType | None = None,
    icon: str = "", color: str = "", position: int | None = None,
) -> ActivityType:  # fmt: skip
    """With a `parent` it is an outcome of that type, of its kind and, without one of its own, its icon."""
    if parent is not None:
        check_parent(parent, account.pk)
        kind, icon = parent.kind, icon or parent.icon
    looks = {"name": name, "kind": kind, "icon": icon, "color": color, "position": position}
    values = {"parent": parent, **checked(ActivityType, looks)}
    with type_taken(values["name"], parent):
        activity_type = ActivityType.objects.create(account=account, **values)
    record("activity_type.created", activity_type, by=by)
    return activity_type


@transaction.atomic
def update_activity_type(activity_type: ActivityType, *, by, **changes: Any) -> ActivityType:
    """A disabled type stays on what was done and cannot be chosen any more. Outcomes follow the kind."""
    only_known("an activity type", changes, LOOKS)
    reread(activity_type)
    if activity_type.parent_id is not None and changes.get("kind", activity_type.kind) != activity_type.kind:
        raise Invalid("kind: an outcome has the kind of its activity type", field="kind")
    changed = assign(activity_type, checked(ActivityType, changes))
    if changed:
        with type_taken(activity_type.name, activity_type.parent):
            activity_type.save(update_fields=[*changed])
        if "kind" in changed:
            activity_type.outcomes.update(kind=activity_type.kind)
        record("activity_type.updated", activity_type, by=by, changes=changed)
    return activity_type


@transaction.atomic
def delete_activity_type(activity_type: ActivityType, *, by) -> None:
    """With its outcomes. One that was used is a Conflict: disable it instead."""
    reread(activity_type)
    if count := Activity.objects.filter(type__in=[activity_type, *activity_type.outcomes.all()]).count():
        raise Conflict(
            f"{count} activities are of the type {activity_type}; disable it instead, so that they keep it"
        )
    record("activity_type.deleted", activity_type, by=by)
    activity_type.delete()


@transaction.atomic
def log_activity(
    lead: Lead, *, by, type: ActivityType, user: User | None = None,  # noqa: A002  the word of every caller
    note: str = "", outcome: str = "", at: datetime | None = None,
) -> Activity:  # fmt: skip
    """Done at that moment; planned, when the moment is still to come. Without one, done just now."""
    reread(lead)
    return add(lead, "lead", by=by, type=type, user=user, note=note, outcome=outcome, at=at)


def add(
    subject: Any, name: str, *, by, type: ActivityType, user: User | None, note: str, outcome: str,  # noqa: A002
    at: datetime | None = None, **facts: Any,
) -> Activity:  # fmt: skip
    """An activity about `subject`, which is its `name`. An outcome given as the type means its parent."""
    check_type(type, subject.account_id, field="type")
    if type.parent is not None:
        type, outcome = type.parent, outcome or type.name  # noqa: A001
    now = timezone.now()
    at = clean_moment(Activity, "due_at", at, given_as="at") or now
    user = user or person_acting(by, subject.account_id)
    (check_person if at > now else check_belongs)(user, subject.account_id, field="user")
    values = checked(Activity, {"note": note, **facts})
    activity = Activity.objects.create(
        account_id=subject.account_id, type=type, user=user, outcome=check_outcome(type, outcome),
        **{name: subject, "due_at" if at > now else "done_at": at}, **values,
    )  # fmt: skip
    record("activity.created", activity, by=by)
    return activity


def check_type(activity_type: ActivityType, account_id: int, *, field: str) -> None:
    check_belongs(activity_type, account_id, field=field)
    if activity_type.is_disabled or (activity_type.parent and activity_type.parent.is_disabled):
        raise Invalid(f"{field}: the activity type {activity_type} is disabled; choose another", field=field)


def check_parent(parent: ActivityType, account_id: int) -> None:
    check_belongs(parent, account_id, field="parent")
    if parent.parent_id is not None:
        raise Invalid(f"parent: {parent} is an outcome itself and has none", field="parent")


def check_outcome(activity_type: ActivityType, outcome: str) -> str:
    """One of the outcomes of this type, in their spelling, or none."""
    text = checked(Activity, {"outcome": outcome})["outcome"]
    if not text:
        return ""
    known = {child.name.casefold(): child.name for child in activity_type.outcomes.filter(is_disabled=False)}
    if text.casefold() not in known:
        choice = ", ".join(known.values()) or "none"
        raise Invalid(
            f"outcome: {text!r} is no outcome of {activity_type}; known are: {choice}", field="outcome"
        )
    return known[text.casefold()]


def clean_moment(model: Any, name: str, value: Any, *, given_as: str = "") -> datetime | None:
    """A moment as its column takes it."""
    given_as = given_as or name
    try:
        moment = check_value(model._meta.get_field(name), value)
    except ValidationError as error:
        raise Invalid(f"{given_as}: {error.messages[0]}", field=given_as) from None
    if moment is not None:
        check_zoned(moment, field=given_as)
    return moment


def type_taken(name: str, parent: ActivityType | None):
    what = f"{parent} has an outcome" if parent else "There is an activity type"
    return conflict_when_taken(
        f"{what} named {name!r} already",
        lambda: ActivityType.objects.filter(name=name, parent=parent).first(),
    )
