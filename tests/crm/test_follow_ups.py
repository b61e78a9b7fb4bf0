"""Follow-ups and their tasks."""

from datetime import UTC, datetime
from functools import partial

import pytest
from django.utils import timezone

from crm.follow_ups import (
    add_task,
    create_follow_up,
    delete_follow_up,
    delete_task,
    update_follow_up,
    update_task,
)
from crm.models import FollowUp, FollowUpTask
from pipelime.errors import Invalid, NotFound
from pipelime.events.models import Event
from pipelime.scope import account_scope
from tests.factories import AccountFactory, FollowUpFactory, FollowUpTaskFactory, LeadFactory
from tests.threads import all_at_once

SOON = datetime(2030, 1, 31, 9, tzinfo=UTC)


def events_of(lead):
    return list(Event.objects.history_of(lead).order_by("pk").values_list("name", flat=True))


def test_a_follow_up_is_made_for_a_lead(account, user, seller):
    lead = LeadFactory(account=account)

    made = create_follow_up(
        lead, by=user, title="Delivery", description="By ship", owner=seller, tags=["vip"]
    )

    assert (made.lead, made.title, made.description, made.owner) == (lead, "Delivery", "By ship", seller)
    assert made.status == "todo"
    assert [tag.name for tag in FollowUp.objects.get().tags.all()] == ["vip"]
    assert events_of(lead) == ["follow_up.created"]


@pytest.mark.parametrize("facts", [{"title": ""}, {"title": "x" * 251}, {"tags": "vip"}])
def test_a_wrong_follow_up_is_refused(account, user, facts):
    with pytest.raises(Invalid) as refusal:
        create_follow_up(LeadFactory(account=account), by=user, **{"title": "Delivery", **facts})

    assert refusal.value.fields.keys() == facts.keys()
    assert not FollowUp.objects.exists()


def test_a_deleted_lead_takes_no_follow_up(account, user):
    with pytest.raises(NotFound):
        create_follow_up(LeadFactory(account=account, deleted_at=timezone.now()), by=user, title="Delivery")


def test_an_owner_of_another_account_looks_missing(account, user, stranger):
    follow_up = FollowUpFactory(account=account)

    with pytest.raises(Invalid, match="There is no such user"):
        update_follow_up(follow_up, by=user, owner=stranger)
    with pytest.raises(Invalid, match="There is no such user"):
        add_task(follow_up, by=user, title="Pack", owner=stranger)


def test_a_follow_up_changes(account, user, seller):
    follow_up = FollowUpFactory(account=account, title="Delivery")

    update_follow_up(follow_up, by=user, title="Training", owner=seller, tags=["vip"])
    update_follow_up(follow_up, by=user, title="Training", owner=seller, tags=["VIP"])

    changes = Event.objects.get(name="follow_up.updated").data["changes"]
    assert changes["title"] == ["Delivery", "Training"]
    assert changes["owner"][1]["number"] == seller.pk
    assert changes["tags"] == [[], ["vip"]]


def test_the_status_of_a_follow_up_is_not_set_by_hand(account, user):
    with pytest.raises(Invalid, match="'status' is no field of a follow-up"):
        update_follow_up(FollowUpFactory(account=account), by=user, status="done")


def test_a_follow_up_goes_with_its_tasks(account, user):
    task = FollowUpTaskFactory(account=account)

    delete_follow_up(task.follow_up, by=user)

    assert not FollowUpTask.objects.exists()
    assert events_of(task.follow_up.lead) == ["follow_up.deleted"]


def test_tasks_stand_in_the_order_of_their_making(account, user, seller):
    follow_up = FollowUpFactory(account=account)

    add_task(follow_up, by=user, title="Pack")
    add_task(follow_up, by=user, title="Ship", owner=seller, due_at=SOON)

    assert list(follow_up.tasks.values_list("title", "position", "owner", "due_at", "status")) == [
        ("Pack", 1, None, None, "todo"),
        ("Ship", 2, seller.pk, SOON, "todo"),
    ]
    assert events_of(follow_up.lead) == ["task.created", "task.created"]


def test_a_status_of_a_task_has_an_event_of_its_own(account, user):
    task = FollowUpTaskFactory(account=account, title="Pack")

    update_task(task, by=user, title="Pack it", status="done")

    stored = FollowUpTask.objects.get()
    assert (stored.title, stored.status) == ("Pack it", "done")
    assert stored.done_at is not None
    lead = task.follow_up.lead
    assert events_of(lead) == ["task.updated", "task.status_changed", "follow_up.updated"]
    assert Event.objects.get(name="task.updated").data["changes"] == {"title": ["Pack", "Pack it"]}
    changes = Event.objects.get(name="task.status_changed").data["changes"]
    assert changes == {"status": ["todo", "done"], "done_at": [None, stored.done_at.isoformat()]}


def test_a_task_that_is_done_comes_back(account, user):
    task = FollowUpTaskFactory(account=account)
    update_task(task, by=user, status="done")

    update_task(task, by=user, status="todo")
    update_task(task, by=user, status="todo")

    assert FollowUpTask.objects.get().done_at is None
    assert Event.objects.filter(name="task.status_changed").count() == 2


def test_a_task_on_standby_needs_the_moment_it_comes_back(account, user):
    task = FollowUpTaskFactory(account=account)

    with pytest.raises(Invalid, match="needs the moment at which it comes back") as refusal:
        update_task(task, by=user, status="standby")
    update_task(task, by=user, status="standby", due_at=SOON)
    with pytest.raises(Invalid):
        update_task(task, by=user, due_at=None)

    assert (refusal.value.field, refusal.value.rule) == ("due_at", "reminder_missing")
    assert (FollowUpTask.objects.get().status, FollowUpTask.objects.get().due_at) == ("standby", SOON)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"status": "lost"},
        {"due_at": "soon"},
        {"due_at": datetime(2030, 1, 31)},  # noqa: DTZ001  a moment without a zone is refused
        {"position": -1},
        {"follow_up": 1},
    ],
)
def test_a_wrong_change_of_a_task_is_refused(account, user, changes):
    task = FollowUpTaskFactory(account=account)

    with pytest.raises(Invalid) as refusal:
        update_task(task, by=user, **changes)

    assert refusal.value.fields.keys() == changes.keys()
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("tasks", "status"),
    [
        ([], "todo"),
        (["done", "done"], "done"),
        (["done", "todo", "standby"], "todo"),
        (["done", "standby"], "standby"),
        (["standby"], "standby"),
    ],
)
def test_a_follow_up_is_what_its_tasks_are(account, user, tasks, status):
    follow_up = FollowUpFactory(account=account)
    for state in tasks:
        FollowUpTaskFactory(account=account, follow_up=follow_up, status=state, due_at=SOON)

    delete_task(FollowUpTaskFactory(account=account, follow_up=follow_up), by=user)

    assert FollowUp.objects.get().status == status


def test_a_new_task_opens_what_was_done(account, user):
    task = FollowUpTaskFactory(account=account)
    update_task(task, by=user, status="done")

    add_task(task.follow_up, by=user, title="Ship")

    assert FollowUp.objects.get().status == "todo"
    changes = [
        event.data["changes"] for event in Event.objects.filter(name="follow_up.updated").order_by("pk")
    ]
    assert changes == [{"status": ["todo", "done"]}, {"status": ["done", "todo"]}]


def test_a_deleted_task_is_told(account, user):
    task = FollowUpTaskFactory(account=account)

    delete_task(task, by=user)

    assert events_of(task.follow_up.lead) == ["task.deleted"]
    with pytest.raises(NotFound):
        update_task(
            FollowUpTask(pk=task.pk or 1, account=account, follow_up=task.follow_up), by=user, title="x"
        )


@pytest.mark.django_db(transaction=True)
def test_of_two_tasks_done_at_once_the_last_closes_the_follow_up():
    account = AccountFactory()
    follow_ups = [FollowUpFactory(account=account) for _ in range(10)]
    pairs = [FollowUpTaskFactory.create_batch(2, account=account, follow_up=one) for one in follow_ups]
    with account_scope(account):
        tasks = {task.pk: task for task in FollowUpTask.objects.select_related("follow_up")}

    def finish(task):
        update_task(tasks[task.pk], by=None, status="done")

    for pair in pairs:
        all_at_once([partial(finish, task) for task in pair], account=account)

    with account_scope(account):
        assert set(FollowUp.objects.values_list("status", flat=True)) == {"done"}
