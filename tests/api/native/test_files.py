"""Imports and exports over the API."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.models import ExportJob, ImportJob
from pipelime.accounts.keys import create_key
from tests.api.dialects import DIALECTS
from tests.factories import CompanyFactory, ContactFactory, ImportJobFactory, LeadFactory

pytestmark = pytest.mark.usefixtures("folder")

[NATIVE] = [dialect for dialect in DIALECTS.values() if dialect.name == "native"]


def people(*rows: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("people.csv", "\n".join(["E-mail,Vorname", *rows]).encode(), "text/csv")


def test_an_upload_is_taken_at_once_and_left_to_a_worker(native, bells):
    body = {"file": people("ada@example.com,Ada"), "mapping": '{"E-mail": "email"}', "dry_run": "true"}

    answer = native.post("/api/contacts/import", body, format="multipart")

    job = ImportJob.objects.get()
    assert answer.status_code == 202
    assert answer.json()["id"] == str(job.uid)
    assert answer.json()["status"] == "analyzing"
    assert answer.json()["dry_run"] is True
    assert answer.json()["on_duplicate"] == "update"
    assert answer.json()["progress"] == 0.0
    assert answer.json()["rejects_url"] is None
    assert job.mapping == {"E-mail": "email"}


def test_an_upload_without_a_file_or_with_unknown_fields_is_refused(native):
    missing = native.post("/api/contacts/import", {"dry_run": "true"}, format="multipart")
    unknown = native.post(
        "/api/contacts/import", {"file": people(), "on_duplicat": "skip"}, format="multipart"
    )
    mapping = native.post("/api/contacts/import", {"file": people(), "mapping": "[1]"}, format="multipart")

    assert [answer.status_code for answer in (missing, unknown, mapping)] == [422, 422, 422]
    assert "file" in missing.json()["error"]["details"]
    assert "on_duplicat" in unknown.json()["error"]["details"]
    assert "mapping" in mapping.json()["error"]["details"]
    assert ImportJob.objects.count() == 0


def test_the_same_upload_under_one_idempotency_key_is_one_import(native):
    def send(row):
        return native.post(
            "/api/contacts/import",
            {"file": people(row)},
            format="multipart",
            headers={"Idempotency-Key": "upload-1"},
        )

    first, again, other = (
        send("ada@example.com,Ada"),
        send("ada@example.com,Ada"),
        send("grace@example.com,G"),
    )

    assert (first.status_code, again.content) == (202, first.content)
    assert other.status_code == 422
    assert ImportJob.objects.count() == 1


def test_an_upload_that_is_too_large_is_refused_before_it_is_stored(native, settings):
    settings.UPLOAD_LIMIT = -1024 * 1024

    answer = native.post("/api/contacts/import", {"file": people("a@example.com,A")}, format="multipart")

    assert answer.status_code == 413
    assert ImportJob.objects.count() == 0


def test_an_import_tells_how_it_goes(native, account, settings):
    job = ImportJobFactory(
        account=account, status="running", state="claimed", total=200, processed=50, created=40, rejected=10
    )

    answer = native.get(f"/api/imports/{job.uid}").json()

    assert answer["progress"] == 0.25
    assert (answer["total"], answer["processed"], answer["created"], answer["rejected"]) == (200, 50, 40, 10)
    assert answer["rejects_url"] == f"{settings.PIPELIME_URL}/api/imports/{job.uid}/rejects"


def test_an_import_that_is_done_cannot_be_run_again(native, account):
    job = ImportJobFactory(account=account)

    answer = native.post(f"/api/imports/{job.uid}/run", {"on_duplicate": "skip"}, format="json")

    assert answer.status_code == 409


def test_rejects_come_as_a_file(native, account):
    job = ImportJobFactory(account=account, header=["E-mail"])

    answer = native.get(f"/api/imports/{job.uid}/rejects", headers={"Accept": "text/csv"})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert b"".join(answer.streaming_content).startswith(b"\xef\xbb\xbfE-mail")


def exported(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.content
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_contacts_are_exported_as_the_list_shows_them(native, account):
    acme = CompanyFactory(account=account, name="Acme")
    ContactFactory(account=account, company=acme, first_name="=cmd()", last_name="Inside")
    ContactFactory(account=account, last_name="Outside")
    ContactFactory(last_name="Foreign")

    rows = exported(native.get(f"/api/exports/contacts?company={acme.uid}"))

    assert [(row["first_name"], row["last_name"]) for row in rows] == [("'=cmd()", "Inside")]
    assert ExportJob.objects.get().kind == "contacts"


def test_leads_are_exported_as_xlsx(native, account):
    LeadFactory(account=account)

    answer = native.get("/api/exports/leads?format=xlsx")

    assert b"".join(answer.streaming_content)[:2] == b"PK"


def test_an_export_needs_both_rights_and_a_known_format(native, account, user):
    raw = create_key(account, name="exporter", scopes=["exports:read"], by=user)[1]

    half = NATIVE.client(raw).get("/api/exports/contacts")
    unknown = native.get("/api/exports/contacts?format=pdf")

    assert half.status_code == 403
    assert "contacts:read" in half.json()["error"]["message"]
    assert unknown.status_code == 422
    assert ExportJob.objects.count() == 0
