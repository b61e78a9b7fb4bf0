"""Imports of contacts, from the upload to the last record."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile

from crm.contacts import create_contact
from crm.importing import running
from crm.importing.jobs import start_import
from crm.models import Company, Contact, ContactEmail, ImportJob, ImportRow
from pipelime.errors import Invalid
from pipelime.events.models import Event
from pipelime.search import documents
from tests.crm.importing.engine import counts, imported, people, reasons, uploaded, worked
from tests.factories import FieldFactory

THREE = """Vorname;Nachname;E-Mail;Firma;Telefon;Position;Tags
Ada;Lovelace;ada@example.com;Engines;+44 1;Countess;math, first
Grace;Hopper;Grace@Example.com;Navy;;Admiral;
Alan;Turing;alan@example.com;engines;;;math
"""


def test_a_file_becomes_contacts_with_companies_and_tags(account, user):
    job = imported(account, THREE, by=user)

    assert counts(job) == ("done", 3, 0, 0, 0)
    assert (job.total, job.processed, job.progress) == (3, 3, 1.0)
    assert (job.encoding, job.delimiter) == ("utf-8", ";")
    assert job.mapping["Position"] == "job_title"
    assert people() == [
        ("ada@example.com", "Ada", "Lovelace", "Engines"),
        ("Grace@Example.com", "Grace", "Hopper", "Navy"),
        ("alan@example.com", "Alan", "Turing", "Engines"),
    ]
    assert sorted(tag.name for tag in Contact.objects.get(first_name="Ada").tags.all()) == ["first", "math"]
    assert ContactEmail.objects.get(address="Grace@Example.com").email_key == "grace@example.com"


def test_every_contact_is_told_of_and_found_at_once(account, user):
    imported(account, THREE, by=user)

    ada = Contact.objects.with_parts().get(first_name="Ada")
    event = Event.objects.about(ada).get()
    assert event.name == "contact.created"
    assert event.data == {"object": ada.snapshot()}
    assert (event.actor, event.actor_name) == (user, user.name)
    assert documents.find("contact", "ada@example.com engines") == [ada.pk]
    assert documents.find("company", "navy") == [Company.objects.get(name="Navy").pk]
    names = list(Event.objects.order_by("pk").values_list("name", flat=True))
    assert names.count("company.created") == 2
    assert names.count("tag.created") == 2
    assert (names[0], names[-1]) == ("import.started", "import.finished")
    engines = Company.objects.get(name="Engines")
    assert Event.objects.about(engines).get().data == {"object": engines.snapshot()}


def test_the_same_file_again_changes_nothing(account, user):
    imported(account, THREE, by=user)
    events = Event.objects.exclude(name__startswith="import.").count()
    versions = list(Contact.objects.order_by("pk").values_list("version", "updated_at"))

    job = imported(account, THREE, by=user)

    assert counts(job) == ("done", 0, 0, 3, 0)
    assert Event.objects.exclude(name__startswith="import.").count() == events
    assert list(Contact.objects.order_by("pk").values_list("version", "updated_at")) == versions
    assert not ImportRow.objects.filter(job=job).exists()


def test_an_update_overwrites_with_what_is_written_and_never_with_a_blank(account, user):
    contact = create_contact(
        account, by=user, email="ada@example.com", first_name="A.", phone="+44 9", company="Old", tags=["vip"]
    )

    job = imported(account, THREE.replace("+44 1", ""), by=user)

    assert counts(job) == ("done", 2, 1, 0, 0)
    contact.refresh_from_db()
    assert (contact.first_name, contact.phone, contact.company.name) == ("Ada", "+44 9", "Engines")
    assert contact.version == 2
    event = Event.objects.about(contact).get(name="contact.updated")
    fresh = Contact.objects.with_parts().get(pk=contact.pk)
    assert event.data["object"] == fresh.snapshot()
    assert event.data["changes"]["first_name"] == ["A.", "Ada"]
    assert event.data["changes"]["tags"] == [["vip"], ["first", "math", "vip"]]
    assert event.data["changes"]["company"][1]["name"] == "Engines"
    assert documents.find("contact", "countess") == [contact.pk]


def test_a_duplicate_is_left_alone_when_it_shall_be_skipped(account, user):
    contact = create_contact(account, by=user, email="ADA@example.com", first_name="A.")

    job = imported(account, THREE, by=user, on_duplicate="skip")

    assert counts(job) == ("done", 2, 0, 1, 0)
    contact.refresh_from_db()
    assert (contact.first_name, contact.version) == ("A.", 1)
    assert ImportRow.objects.get(job=job, outcome="skipped").object_id == contact.pk


def test_the_first_of_two_rows_with_one_address_wins_whatever_the_chunk(account, settings):
    settings.IMPORT_CHUNK = 2
    text = "email,first name\na@x.com,A\nb@x.com,B\nA@X.com,C\nc@x.com,D\nb@x.com,E\n"

    first, second = imported(account, text), imported(account, text)

    assert counts(first) == ("done", 3, 0, 0, 2)
    assert reasons(first) == [
        (4, "", "same e-mail as line 2: A@X.com"),
        (6, "", "same e-mail as line 3: b@x.com"),
    ]
    assert counts(second) == ("done", 0, 0, 3, 2)
    assert reasons(second) == reasons(first)


def test_two_rows_that_mean_one_contact_by_different_addresses_do_not_fight(account, user):
    create_contact(
        account, by=user, emails=[{"address": "a@x.com"}, {"address": "b@x.com"}], first_name="Ada"
    )

    job = imported(account, "email,first name\na@x.com,One\nb@x.com,Two\n")

    assert counts(job) == ("done", 0, 1, 0, 1)
    assert reasons(job) == [(3, "", "same person as line 2")]


def test_further_addresses_are_added_and_identify_too(account, user):
    contact = create_contact(account, by=user, email="a@x.com", first_name="Ada")

    job = imported(account, 'E-mail,Other emails\nnew@x.com,a@x.com\nc@x.com,"d@x.com, e@x.com"\n')

    assert counts(job) == ("done", 1, 1, 0, 0)
    assert [email.address for email in ContactEmail.objects.filter(contact=contact)] == [
        "a@x.com",
        "new@x.com",
    ]
    other = Contact.objects.with_address("e@x.com").get()
    assert [(email.address, email.is_primary) for email in other.emails.all()] == [
        ("c@x.com", True), ("d@x.com", False), ("e@x.com", False),
    ]  # fmt: skip


def test_a_row_whose_addresses_belong_to_two_contacts_is_rejected(account, user):
    create_contact(account, by=user, email="a@x.com")
    create_contact(account, by=user, email="b@x.com")

    job = imported(account, "email,email 2\na@x.com,b@x.com\n")

    assert counts(job) == ("done", 0, 0, 0, 1)
    assert reasons(job) == [(2, "", "b@x.com is an address of another contact than the others of this row")]


def test_people_without_an_address_are_known_by_linkedin_or_by_name_phone_and_company(account, settings):
    settings.IMPORT_CHUNK = 2
    text = (
        "first name,last name,phone,company,linkedin\n"
        "Ada,Lovelace,,,https://linkedin.com/in/ada\n"
        "Jean,Dupont,+33 1,Acme,\n"
        "Jean,Dupont,+33 2,Acme,\n"
        "Ada,King,,,https://www.linkedin.com/in/Ada/\n"
        "Jean,Dupont,+33 1,ACME,\n"
    )

    first = imported(account, text)
    versions = list(Contact.objects.order_by("pk").values_list("pk", "version"))
    second = imported(account, text)

    assert counts(first) == ("done", 3, 0, 0, 2)
    assert reasons(first) == [
        (5, "", "same LinkedIn page as line 2"),
        (6, "", "same name, phone and company as line 3"),
    ]
    assert counts(second) == ("done", 0, 0, 3, 2)
    assert list(Contact.objects.order_by("pk").values_list("pk", "version")) == versions


def test_an_address_finds_the_contact_known_by_linkedin_alone(account, user):
    contact = create_contact(account, by=user, first_name="Ada", linkedin_url="https://linkedin.com/in/ada")

    job = imported(account, "email,linkedin\nada@x.com,linkedin.com/in/ada\n")

    assert counts(job) == ("done", 0, 1, 0, 0)
    assert contact.emails.get().address == "ada@x.com"


def test_a_contact_of_another_account_is_nobody_here(account, stranger):
    from pipelime.scope import account_scope

    with account_scope(stranger.account):
        theirs = create_contact(stranger.account, by=stranger, email="ada@example.com", first_name="A.")

    job = imported(account, THREE)

    assert counts(job) == ("done", 3, 0, 0, 0)
    with account_scope(stranger.account):
        theirs.refresh_from_db()
    assert theirs.first_name == "A."


def test_custom_fields_are_filled_and_checked(account):
    FieldFactory(account=account, key="budget", name="Budget", type="number")

    job = imported(account, "email,Budget\na@x.com,12.5\nb@x.com,much\n")

    assert counts(job) == ("done", 1, 0, 0, 1)
    assert Contact.objects.get().custom_fields == {"budget": 12.5}
    assert reasons(job) == [(3, "Budget", "budget: 'much' is no number; write one such as 12.5")]


def test_a_guarded_formula_of_an_export_comes_back_as_it_was(account):
    imported(account, "email,first name,phone\na@x.com,'=Ada,'+33 1\n")

    contact = Contact.objects.get()
    assert (contact.first_name, contact.phone) == ("=Ada", "+33 1")


def test_a_mapping_decides_alone(account):
    job = imported(
        account,
        "Who,Mail,Note\nAda Lovelace,a@x.com,x\n",
        mapping={"who": "full_name", "Mail": "email", "Note": None},
    )

    assert job.mapping == {"Who": "full_name", "Mail": "email", "Note": None}
    assert people() == [("a@x.com", "Ada", "Lovelace", None)]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"Mail": "e-mail"}, "'Mail' is mapped to 'e-mail', which is no field; use email, "),
        (
            {"Mail": "custom.nope"},
            "'Mail' is mapped to custom.nope, which is not defined; custom fields are: none",
        ),
        ({"A": "email", "B": "email"}, "'A' and 'B' are both mapped to email; leave one of them out"),
        ({"A": "company"}, "No column identifies a person: "),
        ({"A": 3}, "'A' is mapped to 3, which is no field"),
        (["email"], "mapping is an object of header and field"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_at_once(account, mapping, message):
    with pytest.raises(Invalid) as refusal:
        uploaded(account, THREE, mapping=mapping)

    assert str(refusal.value).startswith(message)
    assert refusal.value.field == "mapping"
    assert not ImportJob.objects.exists()


def test_a_mapping_of_a_column_that_is_not_there_fails_the_import(account):
    job = imported(account, THREE, mapping={"Mail": "email"})

    assert counts(job) == ("failed", 0, 0, 0, 0)
    assert job.error.startswith("The file has no column 'Mail'; its columns are Vorname, Nachname, E-Mail")
    assert Event.objects.about(job).get().name == "import.failed"


def test_a_file_in_which_nothing_identifies_anybody_fails_with_its_columns(account):
    job = imported(account, "Color,Size\nred,1\n")

    assert job.status == "failed"
    assert job.error.startswith("No column was recognised that identifies a person")
    assert "Color, Size" in job.error


def test_an_empty_upload_is_refused(account):
    with pytest.raises(Invalid, match="The file is empty"):
        uploaded(account, "")

    assert not ImportJob.objects.exists()


def test_an_upload_over_the_limit_is_refused(account, settings):
    settings.UPLOAD_LIMIT = 1024 * 1024

    with pytest.raises(Invalid, match="at most 1 MB"):
        start_import(account, by=None, file=ContentFile(b"x" * (1024 * 1024 + 1), name="a.csv"))


def test_an_upload_that_changed_in_the_store_is_not_imported(account):
    job = uploaded(account, THREE)
    with job.file.storage.open(job.file.name, "wb") as stream:
        stream.write(b"email\nevil@x.com\n")

    worked(job)

    assert (job.status, job.error) == ("failed", "The stored file is not what was uploaded; upload it again")
    assert not Contact.objects.exists()


def test_an_upload_that_is_gone_fails_with_words(account):
    job = uploaded(account, THREE)
    job.file.storage.delete(job.file.name)

    worked(job)

    assert (job.status, job.error) == ("failed", "The uploaded file is not there any more; upload it again")


def test_a_workbook_is_imported_too(account, tmp_path):
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "people.xlsx") as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([("First name", "E-mail"), ("Ada", "ada@x.com"), ("Bob", "nope")]):
            sheet.write_row(at, 0, row)

    job = imported(account, (tmp_path / "people.xlsx").read_bytes(), name="people.xlsx")

    assert counts(job) == ("done", 1, 0, 0, 1)
    assert people() == [("ada@x.com", "Ada", "", None)]
    assert [row[:2] for row in reasons(job)] == [(3, "E-mail")]


def test_somebody_elses_address_at_the_same_moment_costs_no_chunk(account, user, monkeypatch):
    look, calls = running.ContactImporter.settle, []

    def settle(self, rows, *, write):
        matches = self.matcher.match
        if not calls:
            calls.append(1)

            def late(people):
                found = matches(people)
                create_contact(account, by=user, email="grace@example.com", first_name="G.")
                return found

            self.matcher.match = late
            try:
                return look(self, rows, write=write)
            finally:
                self.matcher.match = matches
        return look(self, rows, write=write)

    monkeypatch.setattr(running.ContactImporter, "settle", settle)

    job = imported(account, THREE, by=user)

    assert counts(job) == ("done", 3, 0, 0, 0)
    assert Contact.objects.alive().count() == 3
