"""Comments: about one thing, by somebody, counted on what shows their number."""

import pytest

from crm.comments import create_comment, delete_comment, update_comment
from crm.lead_keys import emails_of
from crm.models import Activity, Comment
from crm.prospecting import delete_list
from pipelime.errors import Invalid, NotFound
from pipelime.events.models import Event
from tests.factories import (
    ActivityTypeFactory,
    CommentFactory,
    CompanyFactory,
    ContactFactory,
    LeadFactory,
    ProspectFactory,
    ProspectingListFactory,
)

SUBJECTS = [LeadFactory, ContactFactory, CompanyFactory, ProspectingListFactory, ProspectFactory]


@pytest.mark.parametrize("factory", SUBJECTS)
def test_a_comment_is_about_one_thing(account, user, factory):
    subject = factory(account=account)

    comment = create_comment(subject, by=user, content="Called back")

    assert Comment.objects.get().subject == subject
    assert comment.author == user
    event = Event.objects.about(comment).get()
    assert (event.name, event.data["object"]["about_id"]) == ("comment.created", str(subject.uid))
    assert list(Event.objects.history_of(subject)) == [event]


@pytest.mark.parametrize("factory", [LeadFactory, ProspectingListFactory, ProspectFactory])
def test_comments_are_counted(account, user, factory):
    subject = factory(account=account)
    first = create_comment(subject, by=user, content="One")
    create_comment(subject, by=None, content="Two")
    assert subject.comment_count == 2

    delete_comment(Comment.objects.get(pk=first.pk), by=user)

    subject.refresh_from_db()
    assert subject.comment_count == 1


def test_the_comments_of_a_row_are_not_those_of_its_list(account, user):
    prospect = ProspectFactory(account=account)

    create_comment(prospect, by=user, content="One")

    prospect.prospecting_list.refresh_from_db()
    assert (prospect.comment_count, prospect.prospecting_list.comment_count) == (1, 0)


def test_a_count_never_falls_below_none(account, user):
    comment = CommentFactory(account=account)

    delete_comment(comment, by=user)

    comment.lead.refresh_from_db()
    assert comment.lead.comment_count == 0


@pytest.mark.parametrize("factory", [ProspectingListFactory, ProspectFactory])
def test_a_deleted_list_and_its_rows_take_no_comment(account, user, factory):
    subject = factory(account=account)
    delete_list(getattr(subject, "prospecting_list", subject), by=user)

    with pytest.raises(NotFound):
        create_comment(subject, by=user, content="Hm")

    assert not Comment.objects.exists()


def test_a_comment_with_an_activity_type_is_the_note_of_that_activity(account, user):
    lead, call = LeadFactory(account=account), ActivityTypeFactory(account=account, kind="call")

    comment = create_comment(lead, by=user, content="Nice talk", activity_type=call)

    assert Comment.objects.get().activity_type == call
    assert Event.objects.about(comment).get().data["object"]["activity_type_id"] == call.pk
    assert not Activity.objects.exists()


@pytest.mark.parametrize(
    ("facts", "message"),
    [({}, "There is no such activity type"), ({"is_disabled": True}, "is disabled; choose another")],
)
def test_an_activity_type_must_be_one_that_can_be_chosen(account, user, facts, message):
    own = {"account": account} if facts else {}

    with pytest.raises(Invalid, match=message) as refusal:
        create_comment(
            LeadFactory(account=account),
            by=user,
            content="Hm",
            activity_type=ActivityTypeFactory(**own, **facts),
        )

    assert refusal.value.field == "activity_type"


def test_a_lead_is_known_by_the_addresses_in_its_comments(account, user):
    lead = LeadFactory(account=account)
    comment = create_comment(lead, by=user, content="Ask a@example.com")
    create_comment(lead, by=user, content="or b@example.com")

    update_comment(comment, by=user, content="Ask c@example.com")
    assert emails_of([lead]) == {lead.pk: ["c@example.com", "b@example.com"]}
    delete_comment(comment, by=user)

    assert emails_of([lead]) == {lead.pk: ["b@example.com"]}


def test_a_comment_changes(account, user):
    comment = create_comment(LeadFactory(account=account), by=user, content="One")

    update_comment(comment, by=user, content="Two")
    update_comment(comment, by=user, content="Two")

    changes = [event.data.get("changes") for event in Event.objects.about(comment).order_by("pk")]
    assert changes == [None, {"content": ["One", "Two"]}]


@pytest.mark.parametrize("content", ["", " \n", None, "a\x00b", "x" * 100_001])
def test_a_comment_says_something(account, user, content):
    with pytest.raises(Invalid):
        create_comment(LeadFactory(account=account), by=user, content=content)

    assert not Comment.objects.exists()


def test_an_author_of_another_account_looks_missing(account, user, stranger):
    with pytest.raises(Invalid, match="There is no such user"):
        create_comment(LeadFactory(account=account), by=user, content="Hm", author=stranger)


def test_a_lead_of_another_account_takes_no_comment(account, user):
    with pytest.raises((NotFound, Invalid)):
        create_comment(LeadFactory(), by=user, content="Hm")
