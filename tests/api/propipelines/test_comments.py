"""Comments on a lead."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.attachments import attach_link
from crm.comments import create_comment
from crm.models import ActivityType, Attachment, Comment
from tests.api.moments import in_milliseconds
from tests.factories import CommentFactory, LeadFactory, UserFactory

NOT_FOUND = "Entry not found -- The specified object could not be found"


@pytest.fixture
def lead(account, user):
    return LeadFactory(account=account, owner=user)


def path(lead) -> str:
    return f"/api/v2/leads/{lead.pk}/comments"


def written(client, lead, **body):
    return client.post(path(lead), {"content": "This is wonderful", **body}, format="json")


def test_the_newest_comment_comes_first(program, lead, user):
    first, second = (create_comment(lead, by=user, content=text) for text in ("one", "two"))
    CommentFactory(account=lead.account)  # on another lead

    newest = program.get(path(lead))
    oldest = program.get(f"{path(lead)}?direction=asc")

    assert [comment["id"] for comment in newest.json()] == [second.pk, first.pk]
    assert [comment["id"] for comment in oldest.json()] == [first.pk, second.pk]
    assert newest["X-TOTAL-COUNT"] == "2"


def test_a_comment_is_shown_with_its_author_and_attachments(program, lead, user, settings):
    settings.PIPELIME_URL = "https://crm.example"
    comment = create_comment(lead, by=user, content="This is a comment")
    url = "https://www.dropbox.com/s/x/780_3.pdf?dl=0"
    link = attach_link(by=user, comment=comment, url=url, name="780_3.pdf", kind="dropbox")

    [shown] = program.get(path(lead)).json()

    assert shown == {
        "id": comment.pk, "content": "This is a comment",
        "commented_item": {"item": "Lead", "id": lead.pk},
        "created_at": in_milliseconds(comment.created_at),
        "attachments": [
            {
                "id": link.pk, "name": "780_3.pdf", "url": url, "permalink": url, "content_type": None,
                "kind": "dropbox",
            }
        ],
        "activity_id": None,
        "user": {
            "id": user.pk, "lastname": user.last_name, "firstname": "Ada", "email": user.email, "phone": "",
            "mobile_phone": "",
        },
    }  # fmt: skip


def test_a_comment_of_nobody_says_so(program, lead):
    CommentFactory(account=lead.account, lead=lead)

    assert program.get(path(lead)).json()[0]["user"] is None


def test_a_program_comments_as_the_first_administrator_or_as_whom_it_names(program, lead, user, account):
    juliette = UserFactory(account=account, email="juliette@example.com")

    unnamed, named = written(program, lead), written(program, lead, user_id="juliette@example.com")

    assert (unnamed.status_code, unnamed.json()["user"]["id"]) == (201, user.pk)
    assert named.json()["user"]["id"] == juliette.pk
    assert written(program, lead, user_id=juliette.pk).json()["user"]["id"] == juliette.pk


def test_a_person_comments_as_that_person_whatever_is_said(logged_in, lead, seller, user):
    answer = written(logged_in(seller), lead, user_id=user.pk)

    assert (answer.status_code, answer.json()["user"]["id"]) == (201, seller.pk)


def test_a_comment_may_note_an_activity(program, furnished, lead):
    call = ActivityType.objects.get(name="Call")

    answer = written(program, lead, activity_id=call.pk)

    assert answer.json()["activity_id"] == call.pk
    assert Comment.objects.get().activity_type == call


@pytest.mark.parametrize("name", ["attachments", "attachments[]"])
def test_files_come_along(program, lead, name):
    files = [SimpleUploadedFile(f"{number}.txt", b"An offer\n") for number in (1, 2)]

    answer = program.post(path(lead), {"content": "See here", name: files}, format="multipart")

    assert answer.status_code == 201
    assert [attachment["name"] for attachment in answer.json()["attachments"]] == ["1.txt", "2.txt"]
    assert [attachment.lead for attachment in Attachment.objects.all()] == [lead, lead]


def test_a_comment_whose_file_is_refused_is_not_written(program, lead, settings):
    settings.ATTACHMENT_LIMIT = 5

    answer = program.post(
        path(lead), {"content": "See here", "attachments": SimpleUploadedFile("1.txt", b"An offer\n")},
        format="multipart",
    )  # fmt: skip

    assert answer.status_code == 422
    assert not Comment.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"content": ""}, 422, "Missing required parameter: content"),
        ({"user_id": "nobody@example.com"}, 400, "Parameter user_id not recognized."),
        ({"activity_id": 987654321}, 400, "Parameter activity_id not recognized."),
    ],
)
def test_a_comment_that_cannot_be_is_refused(program, lead, body, status, message):
    answer = written(program, lead, **body)

    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert not Comment.objects.exists()


def test_a_comment_is_deleted_on_its_own_lead_only(program, lead, user, account):
    comment = create_comment(lead, by=user, content="Oops")
    other = LeadFactory(account=account)

    assert program.delete(f"{path(other)}/{comment.pk}").status_code == 404
    answer = program.delete(f"{path(lead)}/{comment.pk}")

    lead.refresh_from_db()
    assert (answer.status_code, answer.json()) == (200, {"id": comment.pk})
    assert not Comment.objects.exists()
    assert lead.comment_count == 0


def test_comments_of_leads_out_of_sight_do_not_exist(logged_in, account, seller, lead):
    comment = CommentFactory(account=account, lead=lead)
    account.lead_visibility = "own"
    account.save()
    client = logged_in(seller)

    answers = [client.get(path(lead)), written(client, lead), client.delete(f"{path(lead)}/{comment.pk}")]

    assert [(answer.status_code, answer.json()["message"]) for answer in answers] == [(404, NOT_FOUND)] * 3


def test_many_comments_cost_what_one_does(lead, user, queries):
    CommentFactory(account=lead.account, lead=lead)
    few = queries(path(lead))
    for _ in range(5):
        comment = create_comment(lead, by=UserFactory(account=lead.account), content="Hello")
        attach_link(by=user, comment=comment, url="https://example.com/1", name="1", kind="dropbox")

    assert queries(path(lead)) == few
