"""Tasks over the API: what is due for whom, with its words, and doing it once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from crm.models import Contact
from outreach.linkedin.tasks import finish
from outreach.models import Enrolment, Message
from tests.api.moments import in_full
from tests.factories import (
    CampaignFactory,
    CompanyFactory,
    ContactFactory,
    EnrolmentFactory,
    LinkedInAccountFactory,
    MessageFactory,
    SequenceStepFactory,
    UserFactory,
)

GRACE = "https://www.linkedin.com/in/grace"


@pytest.fixture
def campaign(account):
    campaign = CampaignFactory(account=account, name="Spring")
    words = [{"key": "A", "weight": 1, "subject": "", "body": "Hello {{ first_name }} of {{ company }}"}]
    SequenceStepFactory(account=account, campaign=campaign, channel="linkedin_message", variants=words)
    return campaign


@pytest.fixture
def task(account, campaign, user):
    """A task for Grace; whatever is not said is as the planner writes it."""

    def make(**values):
        contact = ContactFactory(
            account=account, first_name="Grace", last_name="Hopper", linkedin_url=GRACE, job_title="Admiral",
            phone="+1 555", company=CompanyFactory(account=account, name="Navy"),
        )  # fmt: skip
        place = EnrolmentFactory(account=account, campaign=campaign, contact=contact, state="in_flight")
        facts = {
            "channel": "linkedin_message", "state": "todo", "mailbox": None, "assignee": user,
            "from_address": "", "to_address": "", "to_name": "Grace Hopper", "enrolment": place,
        }  # fmt: skip
        return MessageFactory(account=account, **facts | values)

    return make


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["data"]]


def test_a_task_is_answered_with_words_that_are_ready(native, account, campaign, task, user):
    sender = LinkedInAccountFactory(account=account, name="Ada")
    message = task(linkedin_account=sender)

    [shown] = native.get("/api/tasks").json()["data"]

    contact = Contact.objects.get()
    assert shown == {
        "id": str(message.uid),
        "channel": "linkedin_message",
        "status": "open",
        "contact": {
            "id": str(contact.uid), "name": "Grace Hopper", "company": "Navy", "job_title": "Admiral",
            "phone": "+1 555", "linkedin_url": GRACE,
        },
        "campaign": {"id": str(campaign.uid), "name": "Spring"},
        "step": 1,
        "sender": {"id": str(sender.uid), "name": "Ada"},
        "assignee": {"id": str(user.uid), "name": user.name, "email": user.email},
        "profile_url": GRACE,
        "subject": "",
        "text": "Hello Grace of Navy",
        "problems": [],
        "note": "",
        "outcome": "",
        "due_at": in_full(message.due_at),
        "done_at": None,
    }  # fmt: skip
    assert native.get(f"/api/tasks/{message.uid}").json() == shown


def test_open_tasks_come_oldest_first_and_mails_never(native, task):
    now = timezone.now()
    later, sooner = task(due_at=now), task(due_at=now - timedelta(days=1))
    task(state="cancelled")
    task(channel="email", state="sent")
    task(state="sent", provider_id="msg-1")

    assert ids(native.get("/api/tasks")) == [str(sooner.uid), str(later.uid)]


def test_tasks_are_found_by_person_channel_campaign_and_contact(native, account, task, campaign):
    other = UserFactory(account=account)
    mine, theirs = task(), task(assignee=other, channel="call")

    assert ids(native.get(f"/api/tasks?assignee={other.uid}")) == [str(theirs.uid)]
    assert ids(native.get("/api/tasks?channel=linkedin_message,task")) == [str(mine.uid)]
    assert len(ids(native.get(f"/api/tasks?campaign={campaign.uid}"))) == 2
    assert ids(native.get(f"/api/tasks?contact={mine.contact_uid}")) == [str(mine.uid)]


def test_due_is_a_day_to_its_end_where_the_account_is_or_a_moment(native, account, task):
    account.time_zone = "America/New_York"
    account.save()
    in_time, late = (
        task(due_at=datetime(2026, 3, 2, 4, tzinfo=UTC)),
        task(due_at=datetime(2026, 3, 2, 5, tzinfo=UTC)),
    )

    assert ids(native.get("/api/tasks?due=2026-03-01")) == [str(in_time.uid)]
    assert ids(native.get("/api/tasks?due=2026-03-02T05:00:00Z")) == [str(in_time.uid)]
    assert ids(native.get("/api/tasks?due=2026-03-02")) == [str(in_time.uid), str(late.uid)]


@pytest.mark.parametrize(
    "query", ["due=tomorrow", "due=2026-02-30", "status=never", "assignee=me", "colour=red"]
)
def test_a_question_that_makes_no_sense_is_refused_by_name(native, query):
    answer = native.get(f"/api/tasks?{query}")

    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]) == [query.partition("=")[0]]


def test_a_task_is_done_with_what_was_really_written(native, task):
    path = f"/api/tasks/{task().uid}"

    done = native.post(f"{path}/done", {"text": "Hi!"}, format="json")
    again = native.post(f"{path}/done", {}, format="json")

    assert (done.status_code, done.json()["status"], done.json()["text"]) == (200, "done", "Hi!")
    assert done.json()["done_at"] is not None
    assert again.status_code == 409
    assert ids(native.get("/api/tasks")) == []
    assert ids(native.get("/api/tasks?status=done")) == [done.json()["id"]]


def test_the_outcome_of_a_call_is_checked(native, task):
    path = f"/api/tasks/{task(channel='call').uid}/done"

    refused = native.post(path, {"outcome": "abducted"}, format="json")
    taken = native.post(path, {"outcome": "Reached"}, format="json")

    assert list(refused.json()["error"]["details"]) == ["outcome"]
    assert taken.json()["outcome"] == "reached"


def test_a_task_is_skipped_with_its_reason(native, task):
    answer = native.post(f"/api/tasks/{task().uid}/skip", {"reason": "met in person"}, format="json")

    assert (answer.json()["status"], answer.json()["note"]) == ("skipped", "met in person")


def test_a_task_is_given_to_somebody_or_nobody(native, account, task):
    other = UserFactory(account=account)
    path = f"/api/tasks/{task().uid}/assign"

    given = native.post(path, {"user_id": str(other.uid)}, format="json")
    freed = native.post(path, {"user_id": None}, format="json")

    assert given.json()["assignee"]["id"] == str(other.uid)
    assert freed.json()["assignee"] is None


def test_a_task_is_not_given_to_a_stranger(native, task, stranger):
    answer = native.post(f"/api/tasks/{task().uid}/assign", {"user_id": str(stranger.uid)}, format="json")

    assert list(answer.json()["error"]["details"]) == ["user_id"]


def test_an_invitation_is_accepted(native, task, user):
    message = task(channel="linkedin_invitation")
    path = f"/api/tasks/{message.uid}/accepted"

    early = native.post(path)
    finish(message, by=user)
    native.post(path)

    assert early.status_code == 422
    assert Enrolment.objects.get().connected_at is not None
    assert Message.objects.get().state == "sent"


def test_a_page_of_tasks_costs_the_same_however_many_there_are(native, task, django_assert_max_num_queries):
    for _ in range(6):
        task()
    native.get("/api/tasks?limit=1")

    with django_assert_max_num_queries(12):
        assert len(ids(native.get("/api/tasks"))) == 6
