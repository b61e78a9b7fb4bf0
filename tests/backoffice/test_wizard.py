"""The import wizard from the upload to taking it back, as a browser walks through it."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.models import Contact, ImportJob
from crm.tasks import run_imports
from tests import factories
from tests.backoffice.rows import address

FILE = (
    "E-Mail;Vorname;Firma;Notiz\nada@example.com;Ada;Fjell;x\nnobody;Bob;Nix;\nzoë@example.com;Zoë;Söhne;y\n"
)
pytestmark = pytest.mark.django_db(transaction=True)


def upload(browser, content: bytes = FILE.encode("cp1252"), name: str = "people.csv") -> ImportJob:
    file = SimpleUploadedFile(name, content)
    browser.post(address(ImportJob, "add"), {"file": file, "kind": "contacts"})
    run_imports()
    return ImportJob.objects.get()


def page(browser, job: ImportJob):
    return browser.get(address(ImportJob, "change", job.pk))


def test_an_upload_is_checked_before_anything_is_written(browser, account):
    job = upload(browser)

    shown = page(browser, job)
    columns = {column["name"]: column["field"].value() for column in shown.context["form"].columns()}
    assert (job.status, job.created, job.rejected) == ("ready", 2, 1)
    assert columns == {"E-Mail": "email", "Vorname": "first_name", "Firma": "company", "Notiz": ""}
    assert "would be rejected" in shown.content.decode()
    assert not Contact.objects.exists()


def test_the_choices_of_the_page_are_what_is_imported(browser, account):
    factories.FieldFactory(account=account, name="Note", key="note")
    job = upload(browser)
    choices = {"on_duplicate": "skip", "encoding": job.encoding, "delimiter": job.delimiter,
               "column_0": "email", "column_1": "last_name", "column_2": "",
               "column_3": "custom.note"}  # fmt: skip

    browser.post(address(ImportJob, "press", job.pk, "run"), choices)
    run_imports()

    job.refresh_from_db()
    contact = Contact.objects.get(last_name="Ada")
    assert (job.status, job.on_duplicate, job.created, job.rejected) == ("done", "skip", 2, 1)
    assert (contact.company, contact.custom_fields) == (None, {"note": "x"})


def test_other_choices_can_be_checked_again_without_writing(browser, account):
    job = upload(browser)
    choices = {"on_duplicate": "update", "encoding": job.encoding, "delimiter": job.delimiter,
               "column_0": "", "column_1": "first_name"}  # fmt: skip

    browser.post(address(ImportJob, "press", job.pk, "check"), choices)
    run_imports()

    job.refresh_from_db()
    assert (job.status, job.created, job.rejected) == ("ready", 3, 0)
    assert not Contact.objects.exists()


def test_another_encoding_is_read_anew(browser, account):
    job = upload(browser)

    browser.post(
        address(ImportJob, "press", job.pk, "check"),
        {"on_duplicate": "update", "encoding": "mac-roman", "delimiter": ";", "column_0": "email"},
    )
    run_imports()

    job.refresh_from_db()
    assert (job.status, job.encoding) == ("ready", "mac-roman")


def test_a_mapping_that_identifies_nobody_is_refused_on_the_page(browser, account):
    job = upload(browser)

    answer = browser.post(
        address(ImportJob, "press", job.pk, "run"), {"on_duplicate": "update", "column_2": "company"}
    )

    job.refresh_from_db()
    assert answer.status_code == 200
    assert "No column identifies a person" in answer.context["form"].non_field_errors()[0]
    assert job.status == "ready"


def test_columns_that_were_not_recognised_can_be_mapped_by_hand(browser, account):
    job = upload(browser, b"Spalte A;Spalte B\nx1;Ada\nx2;Bob\n")
    shown = page(browser, job)

    browser.post(
        address(ImportJob, "press", job.pk, "check"),
        {"on_duplicate": "update", "encoding": job.encoding, "delimiter": ";", "column_1": "first_name"},
    )
    run_imports()

    job.refresh_from_db()
    assert "No column was recognised" in shown.content.decode()
    assert (job.status, job.created) == ("ready", 2)


def test_an_import_is_taken_back(browser, account):
    job = upload(browser)
    browser.post(address(ImportJob, "press", job.pk, "run"),
                 {"on_duplicate": "update", "encoding": job.encoding, "delimiter": ";",
                 "column_0": "email"})  # fmt: skip
    run_imports()
    done = page(browser, job)

    browser.post(address(ImportJob, "press", job.pk, "undo"))
    run_imports()

    job.refresh_from_db()
    assert "The import is done" in done.content.decode()
    assert job.status == "undone"
    assert not Contact.objects.alive().exists()
    assert "This import was taken back" in page(browser, job).content.decode()


def test_the_rejects_are_a_file_with_reasons(browser, account):
    job = upload(browser)

    answer = browser.get(address(ImportJob, "rejects", job.pk))

    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "E-Mail;Vorname;Firma;Notiz;Line;Reason"
    assert lines[1].startswith('nobody;Bob;Nix;;3;"E-Mail: ')


def test_the_moving_part_asks_for_the_whole_page_when_the_work_is_done(browser, account):
    browser.post(
        address(ImportJob, "add"), {"file": SimpleUploadedFile("a.csv", FILE.encode()), "kind": "contacts"}
    )
    job = ImportJob.objects.get()
    during = browser.get(address(ImportJob, "progress", job.pk))
    run_imports()

    after = browser.get(address(ImportJob, "progress", job.pk))

    assert "HX-Refresh" not in during
    assert b"hx-get" in during.content
    assert after["HX-Refresh"] == "true"


@pytest.mark.parametrize(("content", "said"), [(b"", "empty"), (b"E-Mail\n", "no rows")])
def test_a_file_without_rows_is_explained(browser, account, content, said):
    answer = browser.post(
        address(ImportJob, "add"),
        {"file": SimpleUploadedFile("a.csv", content), "kind": "contacts"},
        follow=True,
    )
    run_imports()

    job = ImportJob.objects.first()
    shown = page(browser, job) if job else answer
    assert said in shown.content.decode()
