"""The document's names for our events, the further ones that the vendor's connector asks for, and steps'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crm.models import Field, FollowUp, Lead, Step
from pipelime.accounts.models import Account
from pipelime.events.models import Event

ANY_UPDATE = "lead.any_update"
STATUS, TASK, STEP = "lead.status.changed", "task.status.changed", "lead.step.changed"
TO_STEP = f"{STEP}.to."
TRIGGERED = "lead.manual.trigger"
BASIC = ("lead.creation", STATUS, *(f"{STATUS}.to.{status}" for status in sorted(Lead.Status.values)))
ADVANCED = (
    "lead.assigned", ANY_UPDATE, "lead.commented", "lead.content_has_changed", "lead.deleted", TRIGGERED,
    STEP, "lead.unassigned", "prospect.created",
    TASK, *(f"{TASK}.to.{status}" for status in FollowUp.Status.values),
    "account.step.created", "account.step.updated", "account.step.deleted", "account.pipeline.updated",
    "account.default_field.created", "account.default_field.updated", "account.default_field.deleted",
)  # fmt: skip


def names_of(event: Event) -> tuple[str, ...]:
    """From the general to the special; nothing for what this API never tells."""
    find = NAMED.get(event.name)
    return find(event.facts) if find else ()


def fixed(*names: str) -> Callable[[Mapping[str, Any]], tuple[str, ...]]:
    return lambda facts: names


def created(lead: Mapping[str, Any]) -> tuple[str, ...]:
    return ("lead.creation",) if lead.get("owner") else ("lead.creation", "lead.unassigned")


def assigned(lead: Mapping[str, Any]) -> tuple[str, ...]:
    return ("lead.assigned" if lead.get("owner") else "lead.unassigned", ANY_UPDATE)


def status_changed(lead: Mapping[str, Any]) -> tuple[str, ...]:
    return (STATUS, f"{STATUS}.to.{lead.get('status')}", ANY_UPDATE)


def step_changed(lead: Mapping[str, Any]) -> tuple[str, ...]:
    pipeline, step = (lead.get(name) or {"name": ""} for name in ("pipeline", "step"))
    return (STEP, to_step(pipeline["name"], step["name"]), ANY_UPDATE)


def commented(comment: Mapping[str, Any]) -> tuple[str, ...]:
    return ("lead.commented",) if comment.get("about") == "lead" else ()


def task_changed(task: Mapping[str, Any]) -> tuple[str, ...]:
    return (TASK, f"{TASK}.to.{task.get('status')}")


def of_field(what: str) -> Callable[[Mapping[str, Any]], tuple[str, ...]]:
    """Fields of leads and clients; contacts are no record of this API."""
    name = f"account.default_field.{what}"
    return lambda field: (name,) if field.get("kind") in (Field.Kind.LEAD, Field.Kind.COMPANY) else ()


# `lead.triggered` is not here: it goes to the one endpoint that somebody chose.
NAMED: dict[str, Callable[[Mapping[str, Any]], tuple[str, ...]]] = {
    "lead.created": created,
    "lead.assigned": assigned,
    "lead.status_changed": status_changed,
    "lead.step_changed": step_changed,
    "lead.description_changed": fixed("lead.content_has_changed", ANY_UPDATE),
    "lead.updated": fixed(ANY_UPDATE),
    "lead.amount_changed": fixed(ANY_UPDATE),
    "lead.client_changed": fixed(ANY_UPDATE),
    "lead.restored": fixed(ANY_UPDATE),
    "lead.deleted": fixed("lead.deleted"),
    "comment.created": commented,
    "prospect.created": fixed("prospect.created"),
    "task.status_changed": task_changed,
    "step.created": fixed("account.step.created"),
    "step.updated": fixed("account.step.updated"),
    "step.deleted": fixed("account.step.deleted"),
    "pipeline.updated": fixed("account.pipeline.updated"),
    "field.created": of_field("created"),
    "field.updated": of_field("updated"),
    "field.deleted": of_field("deleted"),
}


def to_step(pipeline: str, step: str) -> str:
    return f"{TO_STEP}{pipeline}.{step}"


def spelled(name: str) -> str:
    """Steps are named as people typed them: case does not matter, and a blank may be written as _."""
    return "_".join(name.casefold().split()) if name.startswith(TO_STEP) else name


def step_events(account: Account) -> list[str]:
    steps = Step.objects.filter(account=account).values_list("pipeline__name", "name")
    return [to_step(pipeline, step) for pipeline, step in steps]


def is_known(account: Account, name: str) -> bool:
    if not name.startswith(TO_STEP):
        return name in BASIC or name in ADVANCED
    return spelled(name) in map(spelled, step_events(account))
