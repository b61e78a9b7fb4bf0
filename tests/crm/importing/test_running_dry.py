"""A dry run shows what would happen, and writes nothing to the CRM."""

from __future__ import annotations

import pytest

from crm.contacts import create_contact
from crm.importing.jobs import run_import, undo_import
from crm.models import Company, Contact, ImportRow, Tag
from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from tests.crm.importing.engine import counts, imported, people, reasons, worked

TEXT = """email,first name,company,tags
known@x.com,New,Acme,hot
same@x.com,Same,,
new@x.com,Newer,Acme,hot
new@x.com,Again,,
nope,Bad,,
"""


@pytest.fixture
def two_people(account, user):
    create_contact(account, by=user, email="known@x.com", first_name="Old")
    create_contact(account, by=user, email="same@x.com", first_name="Same")


def test_a_dry_run_counts_and_lists_rejects_without_writing(account, user, two_people, settings):
    settings.IMPORT_CHUNK = 2
    events = Event.objects.count()

    job = imported(account, TEXT, by=user, dry_run=True)

    assert counts(job) == ("ready", 1, 1, 1, 2)
    assert [line for line, _, _ in reasons(job)] == [5, 6]
    assert ImportRow.objects.filter(job=job).count() == 2
    assert Event.objects.count() == events
    assert people() == [("known@x.com", "Old", "", None), ("same@x.com", "Same", "", None)]
    assert not Company.objects.exists()
    assert not Tag.objects.exists()
    assert job.sample[0] == ["known@x.com", "New", "Acme", "hot"]
    assert job.header == ["email", "first name", "company", "tags"]


def test_running_it_does_exactly_what_the_dry_run_has_shown(account, user, two_people):
    job = imported(account, TEXT, by=user, dry_run=True)
    shown, refused = counts(job)[1:], reasons(job)

    run_import(job, by=user)
    assert (job.status, job.state) == ("running", "queued")
    worked(job)

    assert counts(job) == ("done", *shown)
    assert reasons(job) == refused
    assert job.dry_run is False
    assert Contact.objects.get(emails__email_key="known@x.com").first_name == "New"


def test_another_mapping_may_be_chosen_before_the_run(account, user, two_people):
    job = imported(account, TEXT, by=user, dry_run=True)

    run_import(job, by=user, mapping={"email": "email", "first name": "last_name"}, on_duplicate="skip")
    worked(job)

    assert counts(job) == ("done", 1, 0, 2, 2)
    assert Contact.objects.get(emails__email_key="new@x.com").last_name == "Newer"
    assert job.mapping == {"email": "email", "first name": "last_name", "company": None, "tags": None}


def test_another_encoding_means_looking_at_the_file_again(account, user):
    job = imported(account, "email;prénom\na@x.com;Élodie\n".encode("cp1252"), by=user, dry_run=True)

    run_import(job, by=user, encoding="latin-1")
    assert job.status == "analyzing"
    worked(job)

    assert counts(job) == ("done", 1, 0, 0, 0)
    assert people() == [("a@x.com", "Élodie", "", None)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mapping": {"nope": "email"}}, "The file has no column 'nope'; its columns are email, first name"),
        ({"mapping": {"company": "company"}}, "No column identifies a person"),
        ({"on_duplicate": "merge"}, "on_duplicate: 'merge' is not known; use update, skip"),
        ({"encoding": "klingon"}, 'The encoding "klingon" is not known here'),
        ({"delimiter": "ab"}, "The delimiter must be one character"),
    ],
)
def test_a_choice_that_cannot_work_is_refused_and_the_import_stays_ready(account, user, given, message):
    job = imported(account, TEXT, by=user, dry_run=True)

    with pytest.raises(Invalid) as refusal:
        run_import(job, by=user, **given)

    assert str(refusal.value).startswith(message)
    job.refresh_from_db()
    assert (job.status, job.state) == ("ready", "done")


def test_an_import_that_is_done_cannot_be_run_and_a_dry_one_not_undone(account, user):
    done, ready = imported(account, TEXT, by=user), imported(account, TEXT, by=user, dry_run=True)

    with pytest.raises(Conflict, match="only one that is ready or failed can be run"):
        run_import(done, by=user)
    with pytest.raises(Conflict, match="only one that is done or failed can be undone"):
        undo_import(ready, by=user)
