"""Undo: what an import made goes, what it changed is as before, but for what was touched since."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from crm.comments import create_comment
from crm.contacts import create_contact, delete_contact, update_contact
from crm.importing import undoing
from crm.importing.jobs import run_import, undo_import
from crm.models import Company, Contact, ContactEmail, ImportJob, ImportRow, Tag
from crm.tasks import run_imports
from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from pipelime.search import documents
from tests.crm.importing.engine import imported, people, worked
from tests.factories import EnrolmentFactory, FieldFactory, LeadFactory

NEW = "email,first name,company,tags\n" + "".join(f"p{n}@x.com,P{n},Acme,hot\n" for n in range(1, 8))


def contact_of(address: str) -> Contact:
    return Contact.objects.alive().get(emails__email_key=address)


def undone(job: ImportJob, user) -> ImportJob:
    undo_import(job, by=user)
    return worked(job)


def test_an_untouched_import_leaves_no_trace(account, user):
    job = imported(account, NEW, by=user)

    undone(job, user)

    assert (job.status, job.undo_counts, job.kept) == ("undone", {"removed": 7}, [])
    assert (job.processed, job.progress) == (7, 1.0)
    assert people() == []
    assert not Company.objects.alive().exists()
    assert not Tag.objects.exists()
    assert documents.find("contact", "p1") == []
    assert Event.objects.filter(name="contact.deleted").count() == 7
    assert Event.objects.filter(name="company.deleted").count() == 1
    assert Event.objects.about(job).order_by("pk").last().name == "import.undone"


def test_the_addresses_are_free_again(account, user):
    undone(imported(account, NEW, by=user), user)

    again = imported(account, NEW, by=user)

    assert (again.status, again.created) == ("done", 7)


def test_what_was_touched_since_is_kept_and_named(account, user):
    job = imported(account, NEW, by=user)
    update_contact(contact_of("p1@x.com"), by=user, phone="+1")
    EnrolmentFactory(account=account, contact=contact_of("p2@x.com"))
    LeadFactory(account=account, contact=contact_of("p3@x.com"))
    create_comment(contact_of("p4@x.com"), by=user, content="Called")
    delete_contact(contact_of("p5@x.com"), by=user)

    undone(job, user)

    assert job.undo_counts == {"removed": 3, "kept": 4}
    assert [(kept["line"], kept["name"], kept["reason"]) for kept in job.kept] == [
        (2, "P1", "was changed since the import"),
        (3, "P2", "has an enrolment"),
        (4, "P3", "has a lead"),
        (5, "P4", "has a comment"),
    ]
    assert job.kept[0]["id"] == str(contact_of("p1@x.com").uid)
    assert [row[1] for row in people()] == ["P1", "P2", "P3", "P4"]
    assert Company.objects.alive().get().name == "Acme"
    assert Tag.objects.get().name == "hot"


def test_what_the_import_changed_is_restored_exactly(account, user):
    FieldFactory(account=account, key="budget", name="Budget", type="number")
    contact = create_contact(
        account, by=user, email="p1@x.com", first_name="Old", phone="+1", company="Before", tags=["cold"],
        custom_fields={"budget": 5},
    )  # fmt: skip
    before = Contact.objects.with_parts().get(pk=contact.pk).snapshot()
    job = imported(
        account,
        "email,email 2,first name,phone,company,tags,budget\np1@x.com,p9@x.com,New,+2,Acme,hot,7\n",
        by=user,
    )
    assert job.updated == 1
    assert Contact.objects.with_parts().get(pk=contact.pk).snapshot() != before

    undone(job, user)

    assert job.undo_counts == {"restored": 1}
    fresh = Contact.objects.with_parts().get(pk=contact.pk)
    after = fresh.snapshot()
    assert {**after, "updated_at": 0} == {**before, "updated_at": 0}
    assert fresh.version == 3
    assert sorted(tag.name for tag in Tag.objects.all()) == ["cold"]
    assert [company.name for company in Company.objects.alive()] == ["Before"]
    assert not ContactEmail.objects.filter(email_key="p9@x.com").exists()
    event = Event.objects.about(fresh).order_by("pk").last()
    assert (event.name, event.data["object"]) == ("contact.updated", after)
    assert event.data["changes"]["first_name"] == ["New", "Old"]


def test_an_update_that_was_changed_again_is_kept(account, user):
    create_contact(account, by=user, email="p1@x.com", first_name="Old")
    job = imported(account, "email,first name\np1@x.com,New\n", by=user)
    update_contact(contact_of("p1@x.com"), by=user, first_name="Newest")

    undone(job, user)

    assert job.undo_counts == {"kept": 1}
    assert contact_of("p1@x.com").first_name == "Newest"


def test_a_company_that_was_there_before_stays(account, user):
    create_contact(account, by=user, email="other@x.com", company="Acme", tags=["Hot"])

    undone(imported(account, NEW, by=user), user)

    assert Company.objects.alive().get().name == "Acme"
    assert Tag.objects.get().name == "Hot"


def test_a_killed_undo_goes_on_where_it_was(account, user, monkeypatch):
    job = imported(account, NEW, by=user)
    monkeypatch.setattr(undoing, "CHUNK", 3)
    chunk, calls = undoing.undo_chunk, []

    class Killed(BaseException):
        pass

    def die(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise Killed
        chunk(*arguments)

    undo_import(job, by=user)
    with monkeypatch.context() as broken:
        broken.setattr(undoing, "undo_chunk", die)
        with pytest.raises(Killed):
            run_imports()
    assert len(people()) == 4
    ImportJob.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(minutes=5))

    worked(job)

    assert (job.status, job.undo_counts) == ("undone", {"removed": 7})
    assert Event.objects.filter(name="contact.deleted").count() == 7


def test_nothing_can_be_undone_twice_or_when_nothing_was_done(account, user):
    job = undone(imported(account, NEW, by=user), user)
    failed = imported(account, "a,b\n1,2\n", by=user)

    with pytest.raises(Conflict, match="This import is undone"):
        undo_import(job, by=user)
    with pytest.raises(Conflict, match="there is nothing to undo"):
        undo_import(failed, by=user)


def test_old_files_are_forgotten_and_their_imports_can_still_be_undone(account, user, settings):
    old, young = imported(account, f"{NEW}bad,,,\n", by=user), imported(account, NEW, by=user, dry_run=True)
    past = timezone.now() - settings.IMPORT_FILE_RETENTION - timedelta(seconds=1)
    ImportJob.objects.filter(pk=old.pk).update(created_at=past)
    storage, name = old.file.storage, old.file.name

    call_command("prune_imports")

    old.refresh_from_db()
    young.refresh_from_db()
    assert not storage.exists(name)
    assert (old.file.name, old.sample) == ("", [])
    assert young.file.storage.exists(young.file.name)
    assert ImportRow.objects.get(job=old, outcome="rejected").cells is None
    assert undone(old, user).status == "undone"


def test_a_forgotten_file_cannot_be_run(account, user, settings):
    job = imported(account, NEW, by=user, dry_run=True)
    past = timezone.now() - settings.IMPORT_FILE_RETENTION - timedelta(seconds=1)
    ImportJob.objects.filter(pk=job.pk).update(created_at=past)
    call_command("prune_imports")

    with pytest.raises(Invalid, match="The uploaded file has been deleted; upload it again"):
        run_import(job, by=user)
