"""Companies and leads come in by the same engine, record by record under the rules of their verbs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crm.companies import create_company
from crm.contacts import create_contact
from crm.importing.jobs import run_import, undo_import
from crm.models import Company, Contact, Lead, Tag
from pipelime.events.models import Event
from tests.crm.importing.engine import counts, imported, reasons, worked
from tests.factories import PipelineFactory, StepFactory

COMPANIES = "Company,Website,About\nAcme,https://www.acme.com/x,Anvils\nNavy,nope,\n acme ,,Again\n,x.com,\n"
LEADS = """Title,Stage,Amount,Email,First name,Company,Tags
Big deal,Proposal,"1,250.50",ada@x.com,Ada,Acme,hot
Big deal,,,bob@x.com,Bob,,
Big deal,,,ADA@x.com,Ada,,
Odd,Nowhere,,,,,
Poor,,much,,,,
,Incoming,,,,,
"""


@pytest.fixture
def steps(account):
    pipeline = PipelineFactory(account=account, is_default=True)
    return [
        StepFactory(account=account, pipeline=pipeline, name=name, position=position)
        for position, name in enumerate(("Incoming", "Proposal"), start=1)
    ]


def test_companies_come_in_once_each(account, user):
    create_company(account, by=user, name="Navy", description="Ships")

    job = imported(account, COMPANIES, by=user, kind="companies")

    assert counts(job) == ("done", 1, 0, 0, 3)
    assert [(line, column) for line, column, _ in reasons(job)] == [(3, "Website"), (4, ""), (5, "Company")]
    acme = Company.objects.get(name="Acme")
    assert (acme.domain, acme.description) == ("acme.com", "Anvils")


def test_companies_again_change_nothing_and_new_words_update(account, user):
    imported(account, "Company,About\nAcme,Anvils\n", by=user, kind="companies")
    again = imported(account, "Company,About\nACME,Anvils\n", by=user, kind="companies")
    other = imported(account, "Company,About\nACME,Rockets\n", by=user, kind="companies")

    assert counts(again) == ("done", 0, 0, 1, 0)
    assert counts(other) == ("done", 0, 1, 0, 0)
    acme = Company.objects.get()
    assert (acme.name, acme.description, acme.version) == ("Acme", "Rockets", 2)

    undo_import(other, by=user)
    worked(other)

    acme.refresh_from_db()
    assert (acme.description, other.undo_counts) == ("Anvils", {"restored": 1})


def test_leads_come_in_with_step_amount_contact_and_folder(account, user, steps):
    job = imported(account, LEADS, by=user, kind="leads")

    assert counts(job) == ("done", 2, 0, 0, 4)
    assert [(line, column) for line, column, _ in reasons(job)] == [
        (4, ""), (5, "Stage"), (6, "Amount"), (7, "Title"),
    ]  # fmt: skip
    ada, bob = Lead.objects.order_by("pk")
    assert (ada.step, bob.step) == (steps[1], steps[0])
    assert (ada.amount, ada.contact.email, ada.client_folder.name) == (
        Decimal("1250.50"),
        "ada@x.com",
        "Acme",
    )
    assert [tag.name for tag in ada.tags.all()] == ["hot"]
    assert (ada.created_from, ada.owner) == ("import", user)
    assert bob.contact.first_name == "Bob"


def test_leads_again_change_nothing(account, user, steps):
    imported(account, LEADS, by=user, kind="leads")
    events = Event.objects.exclude(name__startswith="import.").count()

    job = imported(account, LEADS, by=user, kind="leads")

    assert counts(job) == ("done", 0, 0, 2, 4)
    assert Event.objects.exclude(name__startswith="import.").count() == events


def test_a_dry_run_of_leads_writes_nothing_and_shows_what_the_run_does(account, user, steps):
    job = imported(account, LEADS, by=user, kind="leads", dry_run=True)
    shown, refused = counts(job), reasons(job)
    assert not Lead.objects.exists()
    assert not Contact.objects.exists()
    assert not Event.objects.exists()

    run_import(job, by=user)
    worked(job)

    assert counts(job) == ("done", *shown[1:])
    assert reasons(job) == refused


def test_undoing_leads_takes_what_they_brought_along(account, user, steps):
    known = create_contact(account, by=user, email="bob@x.com")
    job = imported(account, LEADS, by=user, kind="leads")

    undo_import(job, by=user)
    worked(job)

    assert job.undo_counts == {"removed": 2}
    assert not Lead.objects.alive().exists()
    assert list(Contact.objects.alive()) == [known]
    assert not Company.objects.alive().exists()
    assert not Tag.objects.exists()
