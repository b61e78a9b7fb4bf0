"""Follow-ups: what is to be done for a lead, as tasks whose states make up its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from crm.activities import clean_moment
from crm.models import FollowUp, FollowUpTask, Lead
from crm.tags import set_tags, tags_named
from pipelime.accounts.models import User
from pipelime.changing import assign, check_person, checked, only_known, owner_given, remember, reread
from pipelime.errors import Invalid
from pipelime.events.recording import record, record_changes

Status = FollowUp.Status
# A task's status has an event of its own, with what a change of it writes.
EVENTS = dict.fromkeys(("status", "done_at"), "task.status_changed")


@transaction.atomic
def create_follow_up(
    lead: Lead, *, by, title: str, description: str = "", owner: User | None = None, tags: Iterable[str] = ()
) -> FollowUp:
    check_person(owner, lead.account_id, field="owner")
    values = checked(FollowUp, {"title": title, "description": description})
    reread(lead)
    follow_up = FollowUp.objects.create(account_id=lead.account_id, lead=lead, owner=owner, **values)
    words = tags_named(lead.account, tags, by=by)
    follow_up.tags.set(words)
    remember(follow_up, tags=words)
    record("follow_up.created", follow_up, by=by)
    return follow_up


@transaction.atomic
def update_follow_up(follow_up: FollowUp, *, by, **changes: Any) -> FollowUp:
    """title, description, owner and tags; the status follows the tasks."""
    only_known("a follow-up", changes, ("title", "description", "owner", "tags"))
    reread(follow_up)
    texts = {name: changes[name] for name in ("title", "description") if name in changes}
    values = checked(FollowUp, texts) | owner_given(changes, follow_up.account_id)
    changed = assign(follow_up, values)
    columns = list(changed)
    if "tags" in changes:
        changed |= set_tags(follow_up, changes["tags"], by=by)
    if changed:
        save(follow_up, *columns)
        record("follow_up.updated", follow_up, by=by, changes=changed)
    return follow_up


@transaction.atomic
def delete_follow_up(follow_up: FollowUp, *, by) -> None:
    """For good, with its tasks."""
    record("follow_up.deleted", reread(follow_up), by=by)
    follow_up.delete()


@transaction.atomic
def add_task(
    follow_up: FollowUp, *, by, title: str, owner: User | None = None, due_at: datetime | None = None
) -> FollowUpTask:
    """To do, behind the others."""
    values = task_values(follow_up.account_id, {"title": title, "owner": owner, "due_at": due_at})
    reread(follow_up)
    last = follow_up.tasks.aggregate(last=Max("position"))["last"] or 0
    task = FollowUpTask.objects.create(
        account_id=follow_up.account_id, follow_up=follow_up, position=last + 1, **values
    )
    record("task.created", task, by=by)
    follow_tasks(follow_up, by=by)
    return task


@transaction.atomic
def update_task(task: FollowUpTask, *, by, **changes: Any) -> FollowUpTask:
    """title, owner, status, due_at and position. A task on standby needs the moment it comes back."""
    only_known("a task", changes, ("title", "owner", "status", "due_at", "position"))
    values = task_values(task.account_id, changes)
    follow_up = lock(task)
    refuse_endless(task, values)
    if values.get("status", task.status) != task.status:
        values["done_at"] = timezone.now() if values["status"] == Status.DONE else None
    changed = assign(task, values)
    if changed:
        save(task, *changed)
        record_changes(task, changed, by=by, events=EVENTS, other="task.updated")
        follow_tasks(follow_up, by=by)
    return task


@transaction.atomic
def delete_task(task: FollowUpTask, *, by) -> None:
    follow_up = lock(task)
    record("task.deleted", task, by=by)
    task.delete()
    follow_tasks(follow_up, by=by)


def task_values(account_id: int, given: dict[str, Any]) -> dict[str, Any]:
    values = checked(
        FollowUpTask, {name: given[name] for name in ("title", "status", "position") if name in given}
    )
    if "due_at" in given:
        values["due_at"] = clean_moment(FollowUpTask, "due_at", given["due_at"])
    values |= owner_given(given, account_id)
    return values


def refuse_endless(task: FollowUpTask, values: dict[str, Any]) -> None:
    status, due_at = (values.get(name, getattr(task, name)) for name in ("status", "due_at"))
    if status == Status.STANDBY and due_at is None:
        raise Invalid(
            "due_at: a task on standby needs the moment at which it comes back",
            field="due_at",
            rule="reminder_missing",
        )


def lock(task: FollowUpTask) -> FollowUp:
    """The follow-up before its task, for its status is made of all of them."""
    follow_up = reread(task.follow_up)
    reread(task)
    task.follow_up = follow_up
    return follow_up


def follow_tasks(follow_up: FollowUp, *, by) -> None:
    """The caller holds the follow-up, so that its tasks stand still meanwhile."""
    changed = assign(follow_up, {"status": status_of(follow_up)})
    save(follow_up, *changed)
    if changed:
        record("follow_up.updated", follow_up, by=by, changes=changed)


def status_of(follow_up: FollowUp) -> str:
    found = set(follow_up.tasks.order_by().values_list("status", flat=True).distinct())
    if not found or Status.TODO in found:
        return Status.TODO
    return Status.DONE if found == {Status.DONE} else Status.STANDBY


def save(row: FollowUp | FollowUpTask, *columns: str) -> None:
    row.updated_at = timezone.now()
    row.save(update_fields=[*columns, "updated_at"])
