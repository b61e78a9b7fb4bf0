"""Activity types with their outcomes, and activities of leads."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from crm.activities import create_activity_type, delete_activity_type, log_activity, update_activity_type
from crm.comments import create_comment
from crm.models import Activity, ActivityType, Comment
from pipelime.errors import Conflict, Invalid, NotFound
from pipelime.events.models import Event
from tests.factories import ActivityTypeFactory, LeadFactory, UserFactory


@pytest.fixture
def call(account, user):
    """A type of activities with two outcomes."""
    call = create_activity_type(account, by=user, name="Call", kind="call", icon="phone")
    for name, color in (("Answered", "green"), ("Unanswered", "red")):
        create_activity_type(account, by=user, name=name, parent=call, color=color)
    return call


def test_an_outcome_has_the_kind_and_the_icon_of_its_type(call):
    assert list(ActivityType.objects.values_list("name", "parent__name", "kind", "icon", "color")) == [
        ("Call", None, "call", "phone", ""),
        ("Answered", "Call", "call", "phone", "green"),
        ("Unanswered", "Call", "call", "phone", "red"),
    ]
    assert Event.objects.filter(name="activity_type.created").count() == 3


def test_an_outcome_has_no_outcomes(account, user, call):
    with pytest.raises(Invalid, match="Call: Answered is an outcome itself"):
        create_activity_type(account, by=user, name="Loudly", parent=call.outcomes.first())


def test_a_taken_name_is_a_conflict_within_its_type(account, user, call):
    meeting = create_activity_type(account, by=user, name="Meeting", kind="meeting")
    create_activity_type(account, by=user, name="Answered", parent=meeting)

    with pytest.raises(Conflict, match="There is an activity type named 'Call' already") as conflict:
        create_activity_type(account, by=user, name="Call")
    with pytest.raises(Conflict, match="Call has an outcome named 'Answered' already"):
        create_activity_type(account, by=user, name="Answered", parent=call)

    assert conflict.value.existing == str(call.uid)


@pytest.mark.parametrize("facts", [{"name": ""}, {"kind": "fax"}, {"icon": "x" * 41}, {"position": -1}])
def test_a_wrong_type_is_refused(account, user, facts):
    with pytest.raises(Invalid) as refusal:
        create_activity_type(account, by=user, **{"name": "Visit", **facts})

    assert refusal.value.fields.keys() == facts.keys()


def test_a_type_of_another_account_is_no_parent(account, user, stranger):
    with pytest.raises(Invalid, match="There is no such activity type"):
        create_activity_type(account, by=user, name="Answered", parent=ActivityTypeFactory())


def test_a_type_changes_and_its_outcomes_follow_its_kind(call, user):
    update_activity_type(call, by=user, kind="meeting", name="Visit")
    update_activity_type(call, by=user, kind="meeting", name="Visit")

    assert set(ActivityType.objects.values_list("kind", flat=True)) == {"meeting"}
    event = Event.objects.get(name="activity_type.updated")
    assert event.data["changes"] == {"kind": ["call", "meeting"], "name": ["Call", "Visit"]}


def test_an_outcome_keeps_the_kind_of_its_type(call, user):
    with pytest.raises(Invalid, match="an outcome has the kind of its activity type"):
        update_activity_type(call.outcomes.first(), by=user, kind="email")


def test_a_type_goes_with_its_outcomes(call, user):
    delete_activity_type(call, by=user)

    assert not ActivityType.objects.exists()
    assert Event.objects.get(name="activity_type.deleted").data["object"]["name"] == "Call"


def test_a_used_type_stays(account, call, user):
    log_activity(LeadFactory(account=account), by=user, type=call.outcomes.first())

    with pytest.raises(Conflict, match="1 activities are of the type Call; disable it instead"):
        delete_activity_type(call, by=user)

    assert ActivityType.objects.count() == 3


def test_an_activity_is_done_now_by_whoever_logs_it(account, call, user):
    lead = LeadFactory(account=account)
    before = timezone.now()

    activity = log_activity(lead, by=user, type=call, note="Nice talk", outcome="answered")

    assert (activity.lead, activity.type, activity.user) == (lead, call, user)
    assert (activity.note, activity.outcome, activity.due_at) == ("Nice talk", "Answered", None)
    assert before <= Activity.objects.get().done_at <= timezone.now()
    event = Event.objects.history_of(lead).get()
    assert (event.name, event.data["object"]["note"]) == ("activity.created", "Nice talk")


def test_an_outcome_given_as_the_type_means_its_parent(account, call, user):
    activity = log_activity(LeadFactory(account=account), by=user, type=call.outcomes.get(name="Unanswered"))

    assert (activity.type, activity.outcome) == (call, "Unanswered")


def test_a_moment_to_come_is_a_plan(account, call, user, seller):
    moment = timezone.now() + timedelta(days=1)

    activity = log_activity(LeadFactory(account=account), by=user, type=call, user=seller, at=moment)

    assert (activity.due_at, activity.done_at, activity.user) == (moment, None, seller)


def test_the_past_may_be_logged_for_somebody_who_has_left(account, call, user):
    gone = UserFactory(account=account, disabled_at=timezone.now())
    past = datetime(2020, 1, 31, 9, tzinfo=UTC)

    activity = log_activity(LeadFactory(account=account), by=user, type=call, user=gone, at=past)

    assert (activity.done_at, activity.user) == (past, gone)
    with pytest.raises(Invalid, match="is disabled"):
        log_activity(
            LeadFactory(account=account), by=user, type=call, user=gone, at=timezone.now() + timedelta(days=1)
        )


@pytest.mark.parametrize(
    ("facts", "field", "message"),
    [
        ({"outcome": "Busy"}, "outcome", "'Busy' is no outcome of Call; known are: Answered, Unanswered"),
        ({"note": 5}, "note", "must be text, not int"),
        ({"at": datetime(2020, 1, 31, 9)}, "at", "at needs a time zone"),  # noqa: DTZ001  that is the point
        ({"at": "soon"}, "at", "at: "),
    ],
)
def test_a_wrong_activity_is_refused(account, call, user, facts, field, message):
    with pytest.raises(Invalid, match=message) as refusal:
        log_activity(LeadFactory(account=account), by=user, type=call, **facts)

    assert list(refusal.value.fields) == [field]
    assert not Activity.objects.exists()


def test_a_disabled_type_cannot_be_chosen_nor_can_its_outcomes(account, call, user):
    lead = LeadFactory(account=account)
    update_activity_type(call, by=user, is_disabled=True)

    for chosen in (call, call.outcomes.first()):
        with pytest.raises(Invalid, match="is disabled; choose another"):
            log_activity(lead, by=user, type=chosen)
        with pytest.raises(Invalid, match="is disabled; choose another"):
            create_comment(lead, by=user, content="Hm", activity_type=chosen)

    assert not Comment.objects.exists()


def test_a_disabled_outcome_cannot_be_named(account, call, user):
    update_activity_type(call.outcomes.get(name="Answered"), by=user, is_disabled=True)

    with pytest.raises(Invalid, match="known are: Unanswered"):
        log_activity(LeadFactory(account=account), by=user, type=call, outcome="Answered")


def test_types_and_people_of_other_accounts_look_missing(account, call, user, stranger):
    lead = LeadFactory(account=account)

    with pytest.raises(Invalid, match="There is no such activity type"):
        log_activity(lead, by=user, type=ActivityTypeFactory())
    with pytest.raises(Invalid, match="There is no such user"):
        log_activity(lead, by=user, type=call, user=stranger)


def test_a_deleted_lead_takes_no_activity(account, call, user):
    with pytest.raises(NotFound):
        log_activity(LeadFactory(account=account, deleted_at=timezone.now()), by=user, type=call)
