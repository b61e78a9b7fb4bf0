"""Pipelines and steps: one default, an order, and no lead lost."""

import pytest

from crm.leads import create_lead, delete_lead
from crm.models import Pipeline, Step
from crm.pipelines import (
    create_pipeline,
    create_step,
    delete_pipeline,
    delete_step,
    update_pipeline,
    update_step,
)
from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event


@pytest.fixture
def sales(account, user):
    return create_pipeline(account, by=user, name="Sales", steps=["A", "B", "C"])


def order(pipeline):
    return [(step.name, step.position) for step in pipeline.steps.order_by("position", "id")]


def test_the_first_pipeline_is_the_default(sales):
    assert Pipeline.objects.get().is_default
    assert order(sales) == [("A", 1), ("B", 2), ("C", 3)]
    names = list(Event.objects.order_by("pk").values_list("name", flat=True))
    assert names == ["pipeline.created", "step.created", "step.created", "step.created"]


def test_there_is_one_default(account, user, sales):
    second = create_pipeline(account, by=user, name="Partners", steps=["A"])
    assert not second.is_default

    update_pipeline(second, by=user, is_default=True)

    assert list(Pipeline.objects.filter(is_default=True)) == [second]
    with pytest.raises(Invalid, match="another pipeline the default"):
        update_pipeline(second, by=user, is_default=False)


def test_a_taken_name_is_a_conflict_that_names_the_pipeline(account, user, sales):
    with pytest.raises(Conflict) as conflict:
        create_pipeline(account, by=user, name=" Sales ", steps=["A"])

    assert conflict.value.existing == str(sales.uid)
    assert Pipeline.objects.count() == 1


@pytest.mark.parametrize("steps", [[], ["A", "A"], [" "]])
def test_a_pipeline_needs_steps_of_different_names(account, user, steps):
    with pytest.raises(Invalid):
        create_pipeline(account, by=user, name="Sales", steps=steps)

    assert not Pipeline.objects.exists()


def test_a_step_is_put_where_it_is_asked_for(user, sales):
    create_step(sales, by=user, name="New", position=2)
    create_step(sales, by=user, name="Last")

    assert order(sales) == [("A", 1), ("New", 2), ("B", 3), ("C", 4), ("Last", 5)]


def test_a_step_moves_and_the_others_make_room(user, sales):
    update_step(sales.steps.get(name="C"), by=user, position=1, name="Zero")

    assert order(sales) == [("Zero", 1), ("A", 2), ("B", 3)]
    event = Event.objects.latest("pk")
    assert (event.name, event.data["changes"]) == (
        "step.updated",
        {"position": [3, 1], "name": ["C", "Zero"]},
    )


def test_a_step_with_leads_stays_even_when_they_are_deleted(account, user, sales):
    lead = create_lead(account, by=user, title="L")
    delete_lead(lead, by=user)

    with pytest.raises(Conflict, match=r"The step A has 1 leads \(1 of them deleted"):
        delete_step(sales.steps.get(name="A"), by=user)

    assert Step.objects.count() == 3


def test_an_empty_step_goes_but_not_the_last_one(user, sales):
    for name in ("A", "B"):
        delete_step(sales.steps.get(name=name), by=user)

    with pytest.raises(Conflict, match="C is the only step of Sales"):
        delete_step(sales.steps.get(name="C"), by=user)


def test_a_pipeline_goes_when_it_is_empty_and_not_the_default(account, user, sales):
    second = create_pipeline(account, by=user, name="Partners", steps=["P"])
    lead = create_lead(account, by=user, title="L", step=second.steps.get())

    with pytest.raises(Conflict, match="default pipeline"):
        delete_pipeline(sales, by=user)
    with pytest.raises(Conflict, match="has 1 leads"):
        delete_pipeline(second, by=user)
    lead.delete()
    delete_pipeline(second, by=user)

    assert list(Pipeline.objects.all()) == [sales]
