import threading

import pytest
from django.db import connection
from django.db.models import Count, Exists, OuterRef

from crm.models import Contact, Lead, Step
from pipelime.scope import ScopeMissing, ScopeViolation, account_scope, every_account
from tests.factories import (
    AccountFactory,
    ContactFactory,
    LeadFactory,
    PipelineFactory,
    StepFactory,
    UserFactory,
)


@pytest.fixture
def other(db):
    return AccountFactory()


@pytest.mark.django_db
def test_rows_cannot_be_read_without_naming_an_account():
    with pytest.raises(ScopeMissing):
        Lead.objects.count()


READS = {
    "iteration": lambda rows: [row.title for row in rows],
    "count": lambda rows: rows.count() and ["mine"],
    "exists": lambda rows: ["mine"] if rows.exists() else [],
    "first": lambda rows: [rows.first().title],
    "slice": lambda rows: [row.title for row in rows[:5]],
    "values": lambda rows: [row["title"] for row in rows.values("title")],
    "aggregate": lambda rows: ["mine"] * rows.aggregate(n=Count("id"))["n"],
    "grouped": lambda rows: [row["title"] for row in rows.values("title").annotate(n=Count("id"))],
    "in_bulk": lambda rows: [row.title for row in rows.in_bulk().values()],
    "iterator": lambda rows: [row.title for row in rows.iterator()],
    "union": lambda rows: [row.title for row in rows.filter(starred=False).union(rows.filter(starred=True))],
    "or": lambda rows: [row.title for row in rows.filter(starred=False) | rows.filter(starred=True)],
    "subquery": lambda rows: [row.title for row in Lead.objects.filter(pk__in=rows.values("pk"))],
    "sliced subquery": lambda rows: [row.title for row in Lead.objects.filter(pk__in=rows.values("pk")[:9])],
    "exists subquery": lambda rows: (
        list(Step.objects.filter(Exists(rows.filter(step=OuterRef("pk")))).values_list("name", flat=True))
        and ["mine"]
    ),
    "prefetch": lambda rows: [
        lead.title for step in Step.objects.prefetch_related("leads") for lead in step.leads.all()
    ],
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_a_queryset_made_under_one_account_reads_the_account_it_runs_under(read, account, other):
    LeadFactory(account=other, title="theirs")
    rows = Lead.objects.order_by()
    LeadFactory(account=account, title="mine")

    with account_scope(other):
        made_under_the_other = Lead.objects.order_by()

    assert read(made_under_the_other) == ["mine"]
    assert read(rows) == ["mine"]


def test_an_update_reaches_only_the_accounts_rows(account, other):
    theirs = LeadFactory(account=other, title="theirs")
    LeadFactory(account=account)

    changed = Lead.objects.all().update(title="changed")

    assert changed == 1
    with account_scope(other):
        assert Lead.objects.get(pk=theirs.pk).title == "theirs"


def test_a_delete_reaches_only_the_accounts_rows(account, other):
    ContactFactory(account=other)
    ContactFactory(account=account)

    Contact.objects.all().delete()

    with every_account():
        assert list(Contact.objects.values_list("account_id", flat=True)) == [other.pk]


def test_a_row_of_another_account_cannot_be_saved(account, other):
    theirs = LeadFactory(account=other, title="theirs")
    theirs.title = "stolen"

    with pytest.raises(ScopeViolation, match="under the scope of account"):
        theirs.save(update_fields=["title"])

    with account_scope(other):
        assert Lead.objects.get(pk=theirs.pk).title == "theirs"


@pytest.mark.parametrize("how", ["object", "id"])
def test_a_foreign_key_to_another_account_is_refused(how, account, other):
    foreign = StepFactory(account=other)
    reference = {"step": foreign} if how == "object" else {"step_id": foreign.pk}

    with pytest.raises(ScopeViolation, match="does not belong to account"):
        Lead.objects.create(account=account, title="smuggled", **reference)

    assert not Lead.objects.exists()


def test_a_bulk_create_checks_foreign_keys_too(account, other):
    foreign = UserFactory(account=other)
    step = StepFactory(account=account)

    with pytest.raises(ScopeViolation, match="User"):
        Lead.objects.bulk_create([Lead(account=account, step=step, title="x", owner_id=foreign.pk)])

    assert not Lead.objects.exists()


def test_a_pipeline_field_of_a_step_is_checked_when_only_it_is_saved(account, other):
    step = StepFactory(account=account)
    step.pipeline = PipelineFactory(account=other)

    with pytest.raises(ScopeViolation):
        step.save(update_fields=["pipeline"])


def test_a_thread_has_no_scope_of_its_own(account):
    seen = []

    def look():
        try:
            list(Lead.objects.all())
        except ScopeMissing:
            seen.append("missing")
        finally:
            connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert seen == ["missing"]
