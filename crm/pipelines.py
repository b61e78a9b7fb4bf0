"""Pipelines and their steps: made, renamed, ordered, and deleted when no lead is left in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import F, Max

from crm.models import Lead, Pipeline, Step
from pipelime.accounts.models import Account
from pipelime.changing import assign, check_belongs, checked, conflict_when_taken, only_known, reread
from pipelime.errors import Conflict, Invalid
from pipelime.events.recording import record, record_all


@transaction.atomic
def create_pipeline(
    account: Account, *, by, name: str, is_default: bool = False, steps: Iterable[str] = ("Incoming",)
) -> Pipeline:
    """The first pipeline of an account is its default, whatever is asked."""
    steps = [checked(Step, {"name": step})["name"] for step in steps]
    if not steps or len(set(steps)) < len(steps):
        raise Invalid("A pipeline needs at least one step, and no two of the same name", field="steps")
    values = checked(Pipeline, {"name": name, "is_default": is_default})
    last = Pipeline.objects.aggregate(last=Max("position"))["last"]
    with pipeline_name_taken(values["name"]):
        pipeline = Pipeline.objects.create(account=account, position=(last or 0) + 1, **values)
    rows = [
        Step(account=account, pipeline=pipeline, name=step, position=position)
        for position, step in enumerate(steps, start=1)
    ]
    Step.objects.bulk_create(rows)
    if is_default or last is None:
        make_default(pipeline)
    record("pipeline.created", pipeline, by=by)
    record_all("step.created", [(step, {}) for step in rows], by=by)
    return pipeline


@transaction.atomic
def update_pipeline(pipeline: Pipeline, *, by, **changes: Any) -> Pipeline:
    only_known("a pipeline", changes, ("name", "is_default", "position"))
    changed = assign(reread(pipeline), checked(Pipeline, changes))
    if changed.get("is_default") == [True, False]:
        raise Invalid("Make another pipeline the default instead: an account needs one", field="is_default")
    if changed:
        with pipeline_name_taken(pipeline.name):
            pipeline.save(update_fields=[*changed, "updated_at"])
        if pipeline.is_default:
            make_default(pipeline)
        record("pipeline.updated", pipeline, by=by, changes=changed)
    return pipeline


@transaction.atomic
def delete_pipeline(pipeline: Pipeline, *, by) -> None:
    reread(pipeline)
    if pipeline.is_default:
        raise Conflict(f"{pipeline.name} is the default pipeline; make another one the default first")
    refuse_with_leads(Lead.objects.filter(step__pipeline=pipeline), "pipeline", pipeline.name)
    record("pipeline.deleted", pipeline, by=by)
    pipeline.delete()


@transaction.atomic
def create_step(pipeline: Pipeline, *, by, name: str, position: int | None = None) -> Step:
    """At `position` (the others move down), or at the end."""
    reread(pipeline)
    values = checked(Step, {"name": name})
    end = (pipeline.steps.aggregate(last=Max("position"))["last"] or 0) + 1
    place = end if position is None else max(1, min(checked(Step, {"position": position})["position"], end))
    pipeline.steps.filter(position__gte=place).update(position=F("position") + 1)
    with step_name_taken(pipeline, values["name"]):
        step = Step.objects.create(
            account_id=pipeline.account_id, pipeline=pipeline, position=place, **values
        )
    record("step.created", step, by=by)
    return step


@transaction.atomic
def update_step(step: Step, *, by, **changes: Any) -> Step:
    only_known("a step", changes, ("name", "position"))
    reread(step.pipeline)
    changed = assign(reread(step), checked(Step, changes))
    if changed:
        with step_name_taken(step.pipeline, step.name):
            step.save(update_fields=[*changed, "updated_at"])
        if "position" in changed:
            reorder(step)
        record("step.updated", step, by=by, changes=changed)
    return step


@transaction.atomic
def delete_step(step: Step, *, by) -> None:
    reread(step.pipeline)
    reread(step)
    if step.pipeline.steps.count() == 1:
        raise Conflict(f"{step.name} is the only step of {step.pipeline.name}; delete the pipeline instead")
    refuse_with_leads(Lead.objects.filter(step=step), "step", step.name)
    record("step.deleted", step, by=by)
    step.delete()


def first_step(account: Account) -> Step:
    """Where a lead begins when nobody says where."""
    steps = Step.objects.filter(account=account).select_related("pipeline")
    step = steps.order_by(
        "-pipeline__is_default", "pipeline__position", "pipeline_id", "position", "id"
    ).first()
    if step is None:
        raise Invalid("This account has no pipeline; create one with steps first", field="step")
    return step


def check_step(step: Step, account_id: int) -> Step:
    check_belongs(step, account_id, field="step")
    return step


def make_default(pipeline: Pipeline) -> None:
    pipeline.is_default = True
    Pipeline.objects.filter(pk=pipeline.pk).update(is_default=True)
    Pipeline.objects.filter(is_default=True).exclude(pk=pipeline.pk).update(is_default=False)


def reorder(moved: Step) -> None:
    """Number the steps from 1 again, with the moved one where it was asked to be."""
    others = [step for step in moved.pipeline.steps.order_by("position", "id") if step.pk != moved.pk]
    others.insert(max(moved.position, 1) - 1, moved)
    for position, step in enumerate(others, start=1):
        if step.position != position or step is moved:
            Step.objects.filter(pk=step.pk).update(position=position)
            step.position = position


def refuse_with_leads(leads, what: str, name: str) -> None:
    """Deleted leads count: they can be restored, and then they need their step."""
    if count := leads.count():
        kept = leads.filter(deleted_at=None).count()
        raise Conflict(
            f"The {what} {name} has {count} leads ({count - kept} of them deleted, which can be restored); "
            f"move them to another step first"
        )


def pipeline_name_taken(name: str):
    return conflict_when_taken(
        f"A pipeline named {name!r} exists already", lambda: Pipeline.objects.filter(name=name).first()
    )


def step_name_taken(pipeline: Pipeline, name: str):
    return conflict_when_taken(
        f"{pipeline.name} has a step named {name!r} already", lambda: pipeline.steps.filter(name=name).first()
    )
