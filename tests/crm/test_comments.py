"""Comments: about one thing, by somebody, counted on leads."""

import pytest

from crm.comments import create_comment, delete_comment, update_comment
from crm.models import Comment, Lead
from pipelime.errors import Invalid, NotFound
from pipelime.events.models import Event
from tests.factories import CompanyFactory, ContactFactory, LeadFactory


@pytest.mark.parametrize("factory", [LeadFactory, ContactFactory, CompanyFactory])
def test_a_comment_is_about_a_lead_a_contact_or_a_company(account, user, factory):
    subject = factory(account=account)

    comment = create_comment(subject, by=user, content="Called back")

    assert Comment.objects.get().subject == subject
    assert comment.author == user
    event = Event.objects.about(comment).get()
    assert (event.name, event.data["object"]["about_id"]) == ("comment.created", str(subject.uid))


def test_a_lead_counts_its_comments(account, user):
    lead = LeadFactory(account=account)
    first = create_comment(lead, by=user, content="One")
    create_comment(lead, by=None, content="Two")

    delete_comment(first, by=user)

    assert Lead.objects.get().comment_count == 1


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
