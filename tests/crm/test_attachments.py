"""Files and links on leads and comments."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from crm import files
from crm.attachments import (
    attach_file,
    attach_link,
    attachment_of,
    delete_attachment,
    prune,
    signed_url,
)
from crm.comments import create_comment, delete_comment
from crm.models import Attachment
from pipelime.accounts.models import Account
from pipelime.errors import Invalid, NotFound
from pipelime.events.models import Event
from pipelime.scope import account_scope
from tests.factories import (
    AttachmentFactory,
    CommentFactory,
    CompanyFactory,
    LeadFactory,
    ProspectingListFactory,
)

pytestmark = pytest.mark.usefixtures("folder")

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 40
NOON = datetime(2030, 5, 6, 12, tzinfo=UTC)


@pytest.fixture
def lead(account):
    return LeadFactory(account=account)


def kept(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


def upload(content: bytes = b"Dear Ada", name: str = "offer.txt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "application/x-claimed-by-the-client")


def at(attachment: Attachment) -> str:
    return urlsplit(signed_url(attachment)).path


def test_a_file_is_kept_with_what_it_is_by_its_content(account, user, lead, folder):
    attachment = attach_file(lead=lead, by=user, file=upload())

    lead.refresh_from_db()
    assert kept(folder) == [b"Dear Ada"]
    assert (attachment.name, attachment.content_type, attachment.size) == ("offer.txt", "text/plain", 8)
    assert attachment.sha256 == hashlib.sha256(b"Dear Ada").hexdigest()
    assert attachment.kind == "attachment"
    assert attachment.created_by == user
    assert attachment.file.startswith(f"attachments/{account.pk}/")
    assert lead.attachment_count == 1
    event = Event.objects.about(attachment).get()
    assert event.name == "attachment.created"
    assert (event.parent_type, event.parent_id) == ("lead", lead.pk)


def test_a_file_of_a_comment_is_a_file_of_its_lead(user, lead):
    comment = create_comment(lead, by=user, content="See the offer")

    attachment = attach_file(comment=comment, by=user, file=upload())

    lead.refresh_from_db()
    assert (attachment.comment, attachment.lead) == (comment, lead)
    assert lead.attachment_count == 1


def test_a_comment_on_a_company_may_have_a_file(account, user):
    comment = create_comment(CompanyFactory(account=account), by=user, content="The contract")

    attachment = attach_file(comment=comment, by=user, file=upload())

    assert attachment.lead is None


@pytest.mark.parametrize(
    ("content", "name", "content_type"),
    [
        (PNG, "photo.txt", "image/png"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "offer", "application/pdf"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "x.png", "image/svg+xml"),
        (b"PK\x03\x04" + b"\0" * 60, "papers.zip", "application/zip"),
        (b"BMW and other cars", "cars.bmp", "text/plain"),
        ("Grüße aus Köln".encode() * 2000, "letter", "text/plain"),
        ("Grüße aus Köln".encode("latin-1"), "letter", "application/octet-stream"),
        (b"\x00\x01\x02\x03", "x.html", "application/octet-stream"),
    ],
)
def test_the_content_decides_the_type_and_the_name_does_not(user, lead, content, name, content_type):
    attachment = attach_file(lead=lead, by=user, file=upload(content, name))

    assert attachment.content_type == content_type


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Ada\\offer.pdf", "offer.pdf"),
        ("offer\r\nX-Evil: 1.pdf", "offer X-Evil: 1.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("  ", "file"),
        ("...", "file"),
        ("a" * 300 + ".pdf", "a" * 246 + ".pdf"),
        (".env", ".env"),
    ],
)
def test_names_are_one_harmless_line(user, lead, given, shown):
    attachment = attach_file(lead=lead, by=user, file=ContentFile(b"x"), name=given)

    assert attachment.name == shown


def test_a_file_over_the_limit_is_refused_and_nothing_is_kept(settings, user, lead, folder):
    settings.ATTACHMENT_LIMIT = 1024 * 1024

    with pytest.raises(Invalid, match="at most 1 MB can be attached") as refusal:
        attach_file(lead=lead, by=user, file=upload(b"x" * (1024 * 1024 + 1)))

    assert refusal.value.rule == "file_too_large"
    assert kept(folder) == []
    assert not Attachment.objects.exists()


def test_an_empty_file_is_refused(user, lead):
    with pytest.raises(Invalid, match="empty"):
        attach_file(lead=lead, by=user, file=upload(b""))


def test_a_picture_becomes_the_business_card_of_its_lead(user, lead):
    attachment = attach_file(lead=lead, by=user, file=upload(PNG, "card.png"), kind="business_card")

    lead.refresh_from_db()
    assert lead.business_card_id == attachment.pk

    delete_attachment(attachment, by=user)

    lead.refresh_from_db()
    assert (lead.business_card_id, lead.attachment_count) == (None, 0)


def test_a_text_is_no_business_card(user, lead, folder):
    with pytest.raises(Invalid, match=r"offer\.txt is no picture but text/plain"):
        attach_file(lead=lead, by=user, file=upload(), kind="business_card")

    assert kept(folder) == []


def test_a_link_is_no_file(user, lead):
    link = attach_link(
        lead=lead, by=user, url="https://books.example.com/7", name="No. 7", kind="quickbooks_invoice"
    )

    lead.refresh_from_db()
    assert (link.name, link.url, link.file) == ("No. 7", "https://books.example.com/7", "")
    assert lead.attachment_count == 1
    with pytest.raises(Invalid, match="is a link"):
        signed_url(link)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//x", "http://", "h"]
)
def test_a_link_leads_to_a_page_of_the_web(user, lead, url):
    with pytest.raises(Invalid, match="is no address"):
        attach_link(lead=lead, by=user, url=url, name="x", kind="dropbox")

    assert not Attachment.objects.exists()


def test_links_and_files_have_kinds_of_their_own(user, lead):
    with pytest.raises(Invalid, match="a link has another kind"):
        attach_link(lead=lead, by=user, url="https://example.com", name="x", kind="attachment")
    with pytest.raises(Invalid, match="'dropbox'"):
        attach_file(lead=lead, by=user, file=upload(), kind="dropbox")


def test_an_attachment_needs_something_to_be_on(user, folder):
    with pytest.raises(Invalid, match="on a lead or on a comment"):
        attach_file(by=user, file=upload())

    assert kept(folder) == []


def test_a_lead_that_is_gone_takes_no_file_and_none_is_left(user, lead, folder):
    lead.deleted_at = NOON
    lead.save()

    with pytest.raises(NotFound):
        attach_file(lead=lead, by=user, file=upload())

    assert kept(folder) == []


@pytest.mark.django_db(transaction=True)
def test_a_deleted_attachment_s_file_goes_when_the_deletion_is_committed(folder, account, user, lead):
    attachment = attach_file(lead=lead, by=user, file=upload())

    with transaction.atomic():
        delete_attachment(attachment, by=user)
        during = kept(folder)

    assert during == [b"Dear Ada"]
    assert kept(folder) == []
    assert [event.name for event in Event.objects.order_by("pk")] == [
        "attachment.created",
        "attachment.deleted",
    ]


@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_is_taken_back_keeps_the_file(folder, account, user, lead):
    attachment = attach_file(lead=lead, by=user, file=upload())

    with transaction.atomic():
        delete_attachment(attachment, by=user)
        transaction.set_rollback(True)

    assert kept(folder) == [b"Dear Ada"]
    lead.refresh_from_db()
    assert lead.attachment_count == 1


@pytest.mark.django_db(transaction=True)
def test_a_deleted_comment_takes_its_files_with_it(folder, account, user, lead):
    comment = create_comment(lead, by=user, content="See the offer")
    attach_file(comment=comment, by=user, file=upload())

    delete_comment(comment, by=user)

    lead.refresh_from_db()
    assert lead.attachment_count == 0
    assert kept(folder) == []
    assert Event.objects.filter(name="attachment.deleted").count() == 1


def test_housekeeping_deletes_files_that_no_row_names(account, user, lead, folder, at_time):
    with at_time(NOON):
        attach_file(lead=lead, by=user, file=upload(b"named"))
        files.keep("attachments", account.pk, ContentFile(b"orphan"))
    with at_time(NOON + timedelta(days=2)):
        files.keep("attachments", account.pk, ContentFile(b"of today"))

        counts = prune()

    assert counts == {"attachment_files": 1}
    assert sorted(kept(folder)) == [b"named", b"of today"]


def test_older_files_are_looked_through_once_a_week(account, folder, at_time):
    with at_time(NOON):
        files.keep("attachments", account.pk, ContentFile(b"orphan"))

    deleted = []
    for hour in range(7 * 24):
        with at_time(NOON + timedelta(days=60, hours=hour)):
            deleted.append(prune()["attachment_files"])

    assert sum(deleted) == 1
    assert kept(folder) == []


@pytest.fixture
def at_time(monkeypatch):
    """Sets the clock that names of files, and the housekeeping, go by."""

    @contextmanager
    def at(moment):
        with monkeypatch.context() as patch:
            patch.setattr(files.timezone, "now", lambda: moment)
            yield

    return at


def test_whoever_has_a_signed_address_gets_the_file_to_save(client, user, lead):
    attachment = attach_file(lead=lead, by=user, file=upload(b"<script>1</script>", "Angebot für Ada.html"))

    answer = client.get(at(attachment))

    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == b"<script>1</script>"
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''Angebot%20f%C3%BCr%20Ada.html"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Length"] == "18"


def test_a_signed_address_begins_with_the_installation_s_own(settings, user, lead):
    settings.PIPELIME_URL = "https://crm.example.com"

    assert signed_url(attach_file(lead=lead, by=user, file=upload())).startswith(
        "https://crm.example.com/files/"
    )


def test_a_signed_address_is_read_only(client, user, lead):
    address = at(attach_file(lead=lead, by=user, file=upload()))

    head = client.head(address)
    head.close()

    assert head.status_code == 200
    assert client.post(address).status_code == 405
    assert client.delete(address).status_code == 405


def test_a_signed_address_ends_after_three_minutes(client, user, lead, monkeypatch):
    attachment = attach_file(lead=lead, by=user, file=upload())
    monkeypatch.setattr("django.core.signing.time.time", lambda: 1_000_000.0)
    address = at(attachment)

    monkeypatch.setattr("django.core.signing.time.time", lambda: 1_000_179.0)
    before = client.get(address)
    before.close()
    monkeypatch.setattr("django.core.signing.time.time", lambda: 1_000_181.0)
    after = client.get(address)

    assert (before.status_code, after.status_code) == (200, 404)
    assert after.content == b"This link does not work any more; ask for a new one.\n"
    assert after["Content-Type"] == "text/plain; charset=utf-8"


def test_another_signature_another_row_and_another_account_s_suspension_open_nothing(
    client, user, lead, account
):
    attachment = attach_file(lead=lead, by=user, file=upload())
    address = at(attachment)
    forged = address[:-1] + ("A" if address[-1] != "A" else "B")
    other = address.replace(attachment.uid.hex, AttachmentFactory(account=account).uid.hex)

    assert [client.get(path).status_code for path in (forged, other, "/files/x")] == [404, 404, 404]

    Account.objects.filter(pk=account.pk).update(suspended_at=NOON)
    assert client.get(address).status_code == 404


def test_a_file_that_the_storage_has_lost_is_not_found(client, user, lead):
    attachment = attach_file(lead=lead, by=user, file=upload())
    default_storage.delete(attachment.file)

    answer = client.get(at(attachment))

    assert (answer.status_code, answer.content) == (404, b"This file is not there any more.\n")


def test_a_deleted_attachment_is_not_found(user, lead):
    attachment = attach_file(lead=lead, by=user, file=upload())
    token = signed_url(attachment).rpartition("/")[2]

    delete_attachment(attachment, by=user)

    with pytest.raises(NotFound):
        attachment_of(token)


def test_the_permanent_address_leads_people_of_the_account_to_the_file(browser, client, user, lead):
    attachment = attach_file(lead=lead, by=user, file=upload())

    answer = browser.get(f"/attachments/{attachment.pk}")

    assert answer.status_code == 302
    assert answer["Location"].startswith("http://127.0.0.1:8000/files/")


def test_the_permanent_address_of_a_link_leads_to_its_page(browser, user, lead):
    link = attach_link(lead=lead, by=user, url="https://books.example.com/7", name="7", kind="dropbox")

    assert browser.get(f"/attachments/{link.pk}/")["Location"] == "https://books.example.com/7"


def test_the_permanent_address_asks_strangers_to_log_in(client, user, lead):
    attachment = attach_file(lead=lead, by=user, file=upload())

    answer = client.get(f"/attachments/{attachment.pk}")

    assert answer["Location"] == f"/admin/login/?next=/attachments/{attachment.pk}"


def test_the_permanent_address_shows_nothing_to_other_accounts(client, stranger, user, lead):
    attachment = attach_file(lead=lead, by=user, file=upload())
    client.force_login(stranger)

    foreign = client.get(f"/attachments/{attachment.pk}")
    missing = client.get("/attachments/987654321")

    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.content == missing.content


def test_people_see_the_files_of_what_they_see(account, seller, user):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    seller.refresh_from_db()
    mine = AttachmentFactory(account=account, lead__owner=seller)
    AttachmentFactory(account=account, lead__owner=user)
    sheet = ProspectingListFactory(account=account, owner=user)
    on_a_sheet = CommentFactory(account=account, lead=None, prospecting_list=sheet)
    AttachmentFactory(account=account, lead=None, comment=on_a_sheet)
    on_a_company = CommentFactory(account=account, lead=None, company=CompanyFactory(account=account))
    everybody_s = AttachmentFactory(account=account, lead=None, comment=on_a_company)

    assert list(Attachment.objects.visible_to(seller)) == [mine, everybody_s]
    assert Attachment.objects.visible_to(user).count() == 4


def test_the_files_of_a_deleted_lead_are_out_of_sight(account, user):
    AttachmentFactory(account=account, lead__deleted_at=NOON)

    assert not Attachment.objects.visible_to(user).exists()


def test_another_account_s_lead_takes_no_file(user, folder):
    foreign = LeadFactory()

    with account_scope(user.account_id), pytest.raises(NotFound):
        attach_file(lead=foreign, by=user, file=upload())

    assert kept(folder) == []
