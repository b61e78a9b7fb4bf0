"""Calls to prospects, and who was called under a number."""

import pytest
from django.db import connection

from crm.calls import called_with, record_call
from crm.models import Activity, ActivityType
from crm.prospecting import delete_list
from pipelime.errors import Invalid, NotFound
from pipelime.events.models import Event
from tests.factories import ActivityTypeFactory, LeadFactory, ProspectFactory


@pytest.fixture
def call(account):
    """The type that a call gets."""
    return ActivityTypeFactory(account=account, name="Call", kind="call")


def test_a_call_is_an_activity_of_the_first_type_of_calls(account, user, call):
    ActivityTypeFactory(account=account, name="Answered", kind="call", parent=call)
    ActivityTypeFactory(account=account, name="Later", kind="call")
    prospect = ProspectFactory(account=account)

    activity = record_call(prospect, by=user, phone=" 222 333  4444 ", note="Nice", outcome="answered")

    assert (activity.type, activity.prospect, activity.lead) == (call, prospect, None)
    assert (activity.phone, activity.phone_digits) == ("222 333 4444", "2223334444")
    assert (activity.note, activity.outcome, activity.user) == ("Nice", "Answered", user)
    assert activity.done_at is not None
    event = Event.objects.get(name="activity.created")
    assert (event.parent_type, event.parent_id) == ("prospect", prospect.pk)


def test_a_type_in_front_comes_first_and_a_disabled_one_never(account, user, call):
    ActivityTypeFactory(account=account, name="Disabled", kind="call", position=1, is_disabled=True)
    first = ActivityTypeFactory(account=account, name="First", kind="call", position=2)

    assert record_call(ProspectFactory(account=account), by=user, phone="2223334444").type == first


def test_without_a_type_of_calls_there_is_no_call(account, user):
    ActivityTypeFactory(account=account, kind="email")

    with pytest.raises(Invalid, match="no activity type of the kind call"):
        record_call(ProspectFactory(account=account), by=user, phone="2223334444")


@pytest.mark.parametrize("phone", ["", "later", "0", "1" * 33, "1" * 65, "22\x0033", None, 2223334444])
def test_a_call_needs_a_number(account, user, call, phone):
    with pytest.raises(Invalid) as refusal:
        record_call(ProspectFactory(account=account), by=user, phone=phone)

    assert refusal.value.field == "phone"
    assert not Activity.objects.exists()


def test_a_row_of_a_deleted_list_is_not_called(account, user, call):
    prospect = ProspectFactory(account=account)
    delete_list(prospect.prospecting_list, by=user)

    with pytest.raises(NotFound):
        record_call(prospect, by=user, phone="2223334444")


@pytest.mark.parametrize(
    ("called", "asked"),
    [
        ("222 333 4444", "2223334444"),
        ("222 333 4444", "(222) 333-4444"),
        ("+1 222 333 4444", "2223334444"),
        ("2223334444", "+12223334444"),
        ("06 12 34 56 78", "+33612345678"),
        ("+33 6 12 34 56 78", "0033 (0)6 12 34 56 78"),
        ("333 4444", "+1 222 333 4444"),
        ("112", "1-1-2"),
    ],
)
def test_a_prospect_is_found_by_the_number_however_it_is_written(account, user, call, called, asked):
    prospect = ProspectFactory(account=account)
    record_call(prospect, by=user, phone=called)

    assert list(called_with(asked)) == [prospect]


@pytest.mark.parametrize(
    ("called", "asked"),
    [
        ("222 333 4444", "222 333 4445"),
        ("1 222 333 4444", "2 222 333 4444"),
        ("33 4444", "222 333 4444"),  # six digits are too few to be sure
        ("222 333 4444", "33 4444"),
        ("222 333 4444", "222 333"),
        ("112", "1112"),
        ("222 333 4444", "nobody"),
        ("222 333 4444", "9" * 10_000 + "2223334444"),
    ],
)
def test_other_numbers_find_nobody(account, user, call, called, asked):
    record_call(ProspectFactory(account=account), by=user, phone=called)

    assert list(called_with(asked)) == []


def test_each_prospect_comes_once_and_in_order(account, user, call):
    second, first = ProspectFactory(account=account), ProspectFactory(account=account)
    for prospect in (first, second, first):
        record_call(prospect, by=user, phone="2223334444")

    assert list(called_with("2223334444")) == sorted([first, second], key=lambda row: row.pk)


def test_calls_of_leads_of_deleted_lists_and_of_other_accounts_find_nobody(account, user, call):
    numbers = {"phone": "2223334444", "phone_digits": "2223334444", "phone_tail": "3334444"}
    gone = ProspectFactory(account=account)
    record_call(gone, by=user, phone="2223334444")
    delete_list(gone.prospecting_list, by=user)
    Activity.objects.create(account=account, type=call, lead=LeadFactory(account=account), **numbers)

    assert list(called_with("2223334444")) == []


def test_an_index_finds_the_calls(account, user, call):
    record_call(ProspectFactory(account=account), by=user, phone="2223334444")

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Activity.objects.filter(phone_tail="3334444", phone_digits__endswith="2223334444").explain()

    assert "activity_phone_tail" in plan
    assert ActivityType.objects.count() == 1
