"""Files and links on a lead."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.attachments import attach_file, attach_link
from crm.models import Attachment
from tests.factories import LeadFactory

NOT_FOUND = "Entry not found -- The specified object could not be found"
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
)
ESTIMATE = "https://mycompany.freshbooks.com/showEstimate?estimateid=34432"


@pytest.fixture(autouse=True)
def address(settings):
    settings.PIPELIME_URL = "https://crm.example"


@pytest.fixture
def lead(account, user):
    return LeadFactory(account=account, owner=user)


@pytest.fixture
def offer(lead, user):
    return attach_file(by=user, lead=lead, file=text())


@pytest.fixture
def estimate(lead, user):
    return attach_link(by=user, lead=lead, url=ESTIMATE, name="0000004", kind="freshbooks_estimate")


def text() -> SimpleUploadedFile:
    return SimpleUploadedFile("offer.txt", b"An offer\n")


def path(lead) -> str:
    return f"/api/v2/leads/{lead.pk}/attachments"


def test_files_and_links_are_listed(program, lead, offer, estimate):
    answer = program.get(path(lead))

    assert answer["X-TOTAL-COUNT"] == "2"
    assert answer.json() == [
        {
            "id": offer.pk, "name": "offer.txt", "url": f"https://crm.example/attachments/{offer.pk}",
            "content_type": "text/plain", "kind": "attachment",
        },
        {
            "id": estimate.pk, "name": "0000004", "url": ESTIMATE, "content_type": None,
            "kind": "freshbooks_estimate",
        },
    ]  # fmt: skip


def test_a_file_is_fetched_where_its_answer_says_without_a_credential(program, client, lead, offer):
    answer = program.get(f"{path(lead)}/{offer.pk}")

    assert (answer.status_code, list(answer.json())) == (200, ["url"])
    file = client.get(answer.json()["url"].removeprefix("https://crm.example"))
    assert b"".join(file.streaming_content) == b"An offer\n"


def test_a_page_elsewhere_is_no_file_to_fetch(program, lead, estimate):
    answer = program.get(f"{path(lead)}/{estimate.pk}")

    assert (answer.status_code, answer.json()["message"]) == (404, NOT_FOUND)


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/mixed"])
def test_a_file_is_added(program, lead, kind):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="attachment"; filename="file.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nA file\r\n--b--\r\n"
    )

    answer = program.generic("POST", path(lead), body, content_type=f"{kind}; boundary=b")

    lead.refresh_from_db()
    attachment = Attachment.objects.get()
    url = answer.json()["url"]
    assert answer.status_code == 201
    assert answer.json() == {
        "id": attachment.pk, "name": "file.txt", "url": url, "content_type": "text/plain",
        "kind": "attachment",
    }  # fmt: skip
    assert url.startswith("https://crm.example/files/")
    assert lead.attachment_count == 1


def test_without_a_file_there_is_nothing_to_add(program, lead):
    answers = [
        program.post(path(lead), {"attachment": "offer.txt"}, format="json"),
        program.post(path(lead), {"other": text()}, format="multipart"),
    ]

    assert [(answer.status_code, answer.json()["message"]) for answer in answers] == [
        (422, "Missing required parameter: attachment")
    ] * 2
    assert not Attachment.objects.exists()


def test_a_file_is_deleted_on_its_own_lead_only(program, account, lead, offer):
    other = LeadFactory(account=account)

    assert program.delete(f"{path(other)}/{offer.pk}").status_code == 404
    answer = program.delete(f"{path(lead)}/{offer.pk}")

    assert (answer.status_code, answer.json()) == (200, {"id": offer.pk})
    assert program.get(path(lead)).json() == []


def test_a_business_card_s_picture_is_fetched(program, lead, user, client):
    attach_file(by=user, lead=lead, file=SimpleUploadedFile("card.png", PNG), kind="business_card")

    answer = program.get(f"/api/v2/leads/{lead.pk}/business_card")

    assert (answer.status_code, list(answer.json())) == (200, ["url"])
    file = client.get(answer.json()["url"].removeprefix("https://crm.example"))
    assert b"".join(file.streaming_content) == PNG


def test_most_leads_have_no_business_card(program, lead, offer):
    answer = program.get(f"/api/v2/leads/{lead.pk}/business_card")

    assert (answer.status_code, answer.json()["message"]) == (404, NOT_FOUND)


def test_attachments_of_leads_out_of_sight_do_not_exist(logged_in, account, seller, lead, offer):
    account.lead_visibility = "own"
    account.save()
    client = logged_in(seller)

    answers = [
        client.get(path(lead)),
        client.get(f"{path(lead)}/{offer.pk}"),
        client.post(path(lead), {"attachment": text()}, format="multipart"),
        client.delete(f"{path(lead)}/{offer.pk}"),
        client.get(f"/api/v2/leads/{lead.pk}/business_card"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5
    assert Attachment.objects.get() == offer
