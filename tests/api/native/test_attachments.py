"""Files and links of leads over the native API."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.attachments import attach_link
from crm.models import Attachment
from pipelime.accounts.models import Account
from tests.factories import AttachmentFactory, LeadFactory

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def lead(account):
    return LeadFactory(account=account)


def upload(name: str = "offer.txt", content: bytes = b"Dear Ada") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_a_file_is_attached_listed_fetched_and_deleted(native, client, lead):
    made = native.post(f"/api/leads/{lead.uid}/attachments", {"file": upload()}, format="multipart")

    attachment = Attachment.objects.get()
    assert made.status_code == 201
    assert made.json() == {
        "id": str(attachment.uid),
        "name": "offer.txt",
        "kind": "attachment",
        "url": f"http://127.0.0.1:8000/attachments/{attachment.pk}",
        "content_type": "text/plain",
        "size": 8,
        "created_by": None,
        "created_at": made.json()["created_at"],
    }
    assert native.get(f"/api/leads/{lead.uid}/attachments").json()["data"] == [made.json()]

    url = native.get(f"/api/attachments/{attachment.uid}").json()["url"]
    file = client.get(urlsplit(url).path)
    assert b"".join(file.streaming_content) == b"Dear Ada"

    assert native.delete(f"/api/attachments/{attachment.uid}").status_code == 204
    assert not Attachment.objects.exists()


def test_a_link_is_attached_by_its_address(native, lead):
    body = {"url": "https://books.example.com/7", "name": "Invoice 7", "kind": "quickbooks_invoice"}

    made = native.post(f"/api/leads/{lead.uid}/attachments", body, format="json")

    assert made.status_code == 201
    assert {name: made.json()[name] for name in body} == body
    assert native.get(f"/api/attachments/{made.json()['id']}").json() == {
        "url": "https://books.example.com/7"
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "file"),
        ({"url": "javascript:1", "kind": "dropbox", "name": "x"}, "url"),
        ({"url": "https://example.com", "kind": "attachment"}, "kind"),
        ({"url": "https://example.com", "knd": "dropbox"}, "knd"),
    ],
)
def test_what_is_wrong_is_named(native, lead, body, field):
    answer = native.post(f"/api/leads/{lead.uid}/attachments", body, format="json")

    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]) == [field]
    assert not Attachment.objects.exists()


def test_a_file_over_the_limit_is_refused(settings, native, lead):
    settings.ATTACHMENT_LIMIT = 10

    small = native.post(
        f"/api/leads/{lead.uid}/attachments", {"file": upload(content=b"x" * 11)}, format="multipart"
    )
    large = native.post(
        f"/api/leads/{lead.uid}/attachments", {"file": upload(content=b"x" * 1_100_000)}, format="multipart"
    )

    assert (small.status_code, large.status_code) == (422, 413)
    assert not Attachment.objects.exists()


def test_people_see_the_files_of_their_leads_only(client, account, seller, user):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    hidden = AttachmentFactory(account=account, lead__owner=user)
    client.force_login(seller)

    assert client.get(f"/api/attachments/{hidden.uid}").status_code == 404
    assert client.get(f"/api/leads/{hidden.lead.uid}/attachments").status_code == 404


def test_a_list_takes_a_constant_number_of_queries(native, user, lead, django_assert_max_num_queries):
    for number in range(5):
        attach_link(lead=lead, by=user, url=f"https://example.com/{number}", name="x", kind="dropbox")

    with django_assert_max_num_queries(8):
        answer = native.get(f"/api/leads/{lead.uid}/attachments?limit=3")

    assert len(answer.json()["data"]) == 3
    assert answer.json()["pagination"]["has_more"] is True
