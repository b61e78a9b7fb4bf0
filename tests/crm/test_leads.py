"""Leads: the rules every door shares, what follows from a change, and what history says."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.contacts import create_contact
from crm.leads import (
    assign_lead,
    create_lead,
    delete_lead,
    delete_leads,
    duplicate_lead,
    restore_lead,
    update_lead,
)
from crm.models import ActivityType, Contact, Lead, LeadKey, Step
from crm.opening import furnish
from crm.pipelines import create_pipeline
from pipelime.accounts.models import Notice
from pipelime.accounts.settings import update_account
from pipelime.errors import Invalid, NotFound
from pipelime.events.models import Event
from pipelime.search.documents import find
from tests.factories import CompanyFactory, LeadFactory, StepFactory, TeamMemberFactory, UserFactory


@pytest.fixture
def sales(account):
    """The account as a new one is: with the pipeline Sales and the usual lead fields."""
    account.time_zone, account.currency = "Europe/Paris", "CHF"
    account.save()
    furnish(account)
    return account


@pytest.fixture
def lead(sales, user):
    """A lead that is somebody's."""
    return create_lead(sales, by=user, title="Loretta Inc.", owner=user)


def events_of(lead):
    """The events since the lead was created, with their changes."""
    events = Event.objects.about(lead).order_by("pk")[1:]
    return [(event.name, event.data.get("changes")) for event in events]


def test_a_lead_begins_at_the_first_step_of_the_default_pipeline(sales, user):
    lead = create_lead(sales, by=user, title="Loretta Inc.")

    lead = Lead.objects.get(pk=lead.pk)
    assert (lead.step.name, lead.step.pipeline.name) == ("Incoming", "Sales")
    assert (lead.status, lead.amount, lead.currency, lead.owner) == ("todo", None, "CHF", None)
    assert (lead.created_by, lead.created_from) == (user, "api")
    assert find("lead", "loretta") == [lead.pk]


def test_the_default_pipeline_is_the_one_that_says_so(sales, user):
    create_pipeline(sales, by=user, name="Partners", steps=["Talk"], is_default=True)

    assert create_lead(sales, by=user, title="L").step.name == "Talk"


def test_a_lead_without_a_pipeline_is_refused(account, user):
    with pytest.raises(Invalid, match="no pipeline"):
        create_lead(account, by=user, title="Loretta Inc.")


def test_creating_a_lead_is_remembered(sales, user):
    lead = create_lead(sales, by=user, title="Loretta Inc.", tags=["US", "small"], amount="12.5", owner=user)

    event = Event.objects.about(lead).get()
    assert event.name == "lead.created"
    assert event.data["object"]["amount"] == "12.50"
    assert event.data["object"]["tags"] == ["small", "US"]
    assert event.data["object"]["step"]["name"] == "Incoming"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 251}, "title"),
        ({"status": "Standby"}, "status"),
        ({"status": "standby"}, "remind_date"),
        ({"probability": 30}, "probability"),
        ({"probability": 101, "amount": 1}, "probability"),
        ({"probability": -1, "amount": 1}, "probability"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "1e400"}, "amount"),
        ({"amount": "a lot"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": 10**12}, "amount"),
        ({"currency": "Euro"}, "currency"),
        ({"remind_time": time(9, 15)}, "remind_date"),
        ({"remind_date": date(2030, 1, 1), "remind_time": time(9, 10)}, "remind_time"),
        ({"remind_date": "soon"}, "remind_date"),
        ({"remind_date": date(2030, 1, 1), "reminder_duration": 20}, "reminder_duration"),
        ({"created_at": datetime(2030, 1, 1)}, "created_at"),  # noqa: DTZ001  the lack of a zone is the case
        ({"created_at": datetime(2130, 1, 1, tzinfo=UTC)}, "created_at"),
        ({"custom_fields": {"nowhere": "x"}}, "custom_fields"),
        ({"stage": "x"}, "stage"),
    ],
)
def test_a_lead_that_breaks_a_rule_is_refused_by_the_name_of_the_field(sales, user, facts, field):
    with pytest.raises(Invalid) as refusal:
        create_lead(sales, by=user, **{"title": "L", "owner": user, **facts})

    assert list(refusal.value.fields) == [field]
    assert not Lead.objects.exists()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"status": "standby"}, "reminder_missing"),
        ({"status": "lost cause"}, "status_unknown"),
        ({"remind_date": "31.12.2030"}, "reminder_format"),
        ({"remind_date": "2030-01-01", "remind_time": "9 o'clock"}, "reminder_format"),
        ({"remind_date": "2030-01-01", "remind_time": "09:10"}, "reminder_format"),
        ({"probability": 10}, "amount_missing"),
        ({"title": "x" * 251}, ""),
    ],
)
def test_a_refusal_names_the_rule(lead, user, change, rule):
    with pytest.raises(Invalid) as refusal:
        update_lead(lead, by=user, **change)

    assert refusal.value.rule == rule
    assert events_of(lead) == []


def test_what_a_change_is_called(lead, user, seller, sales):
    step, folder = Step.objects.get(name="Proposal"), CompanyFactory(account=sales)

    update_lead(
        lead, by=user, title="New", starred=True, tags=["x"], custom_fields={"job": "CTO"}, step=step,
        owner=seller, amount=5, probability=10, currency="USD", client_folder=folder, status="won",
        description="Email: a@x.com", estimated_closing_date="2030-01-01",
        created_at=datetime(2020, 1, 1, tzinfo=UTC),
    )  # fmt: skip

    assert {name: set(changes) for name, changes in events_of(lead)} == {
        "lead.updated": {"title", "starred", "tags", "custom_fields", "estimated_closing_date", "created_at"},
        "lead.step_changed": {"step"},
        "lead.status_changed": {"status", "closed_at"},
        "lead.assigned": {"owner"},
        "lead.amount_changed": {"amount", "probability", "currency"},
        "lead.client_changed": {"client_folder"},
        "lead.description_changed": {"description", "contact"},
    }


def test_a_reminder_belongs_to_the_status_that_it_came_with(lead, user):
    call = ActivityType.objects.get(name="Call")

    update_lead(lead, by=user, status="standby", remind_date="2030-07-01", reminder_activity=call)
    update_lead(lead, by=user, remind_date="2030-07-02")

    [(first, with_status), (second, alone)] = events_of(lead)
    assert (first, second) == ("lead.status_changed", "lead.updated")
    assert set(with_status) == {"status", "remind_date", "reminder_at", "reminder_activity"}
    assert set(alone) == {"remind_date", "reminder_at"}
    assert Event.objects.about(lead).last().data["object"]["reminder_activity"]["name"] == "Call"

    update_lead(lead, by=user, status="todo")

    lead.refresh_from_db()
    assert (lead.remind_date, lead.reminder_activity) == (None, None)


def test_an_activity_that_cannot_be_chosen_is_refused(lead, user):
    call = ActivityType.objects.get(name="Call")
    call.is_disabled = True
    call.save()

    with pytest.raises(Invalid, match="disabled") as refusal:
        update_lead(lead, by=user, remind_date="2030-07-01", reminder_activity=call)

    assert refusal.value.field == "reminder_activity"


def test_a_lead_can_be_dated_back_later(lead, user):
    update_lead(lead, by=user, created_at=datetime(2020, 1, 1, tzinfo=UTC))

    assert Lead.objects.get().created_at == datetime(2020, 1, 1, tzinfo=UTC)


def test_a_step_of_another_account_looks_missing(lead, user):
    foreign = StepFactory()

    with pytest.raises(Invalid, match="There is no such step"):
        update_lead(lead, by=user, step=foreign)

    lead.refresh_from_db()
    assert lead.step.name == "Incoming"


def test_moving_a_lead_is_an_event_of_its_own(lead, user):
    step = Step.objects.get(name="Proposal")

    update_lead(lead, by=user, step=step, title="Loretta Ltd.")

    [(moved, step_change), (updated, title_change)] = sorted(events_of(lead), key=lambda event: event[0])
    assert (moved, updated) == ("lead.step_changed", "lead.updated")
    assert [side["name"] for side in step_change["step"]] == ["Incoming", "Proposal"]
    assert title_change == {"title": ["Loretta Inc.", "Loretta Ltd."]}


def test_an_update_that_changes_nothing_says_nothing(lead, user):
    update_lead(lead, by=user, title="Loretta Inc.", status="todo", step=lead.step, amount=None, tags=[])

    lead.refresh_from_db()
    assert lead.version == 1
    assert events_of(lead) == []


def test_standby_needs_a_remind_date(lead, user):
    with pytest.raises(Invalid, match="needs a remind_date"):
        update_lead(lead, by=user, status="standby")

    lead.refresh_from_db()
    assert lead.status == "todo"
    assert events_of(lead) == []


def test_a_reminder_is_an_instant_in_the_accounts_zone(lead, user):
    update_lead(lead, by=user, status="standby", remind_date=date(2030, 7, 1), remind_time="09:30")

    lead.refresh_from_db()
    assert lead.reminder_at == datetime(2030, 7, 1, 7, 30, tzinfo=UTC)
    assert lead.reminder_duration == 30


def test_a_reminder_at_a_time_that_does_not_exist_moves_forward(lead, user):
    update_lead(lead, by=user, remind_date=date(2030, 3, 31), remind_time="02:30")

    assert lead.reminder_at == datetime(2030, 3, 31, 1, 30, tzinfo=UTC)


def test_a_day_without_a_time_begins_at_midnight_and_has_no_duration(lead, user):
    update_lead(lead, by=user, remind_date=date(2030, 1, 15))

    assert lead.reminder_at == datetime(2030, 1, 14, 23, tzinfo=UTC)
    assert lead.reminder_duration is None


def test_reminders_move_along_when_the_account_changes_its_zone(lead, user, sales):
    update_lead(lead, by=user, remind_date=date(2030, 7, 1), remind_time="09:30")

    update_account(sales, by=user, time_zone="America/New_York")

    lead.refresh_from_db()
    assert lead.reminder_at == datetime(2030, 7, 1, 13, 30, tzinfo=UTC)
    assert lead.version == 2


def test_the_owners_usual_duration_is_taken(sales, user):
    owner = UserFactory(account=sales, default_reminder_duration=45)

    lead = create_lead(sales, by=user, title="L", owner=owner, remind_date="2030-01-01", remind_time="09:00")

    assert lead.reminder_duration == 45


def test_leaving_standby_ends_the_reminder(lead, user):
    update_lead(
        lead, by=user, status="standby", remind_date="2030-07-01", remind_time="09:30", reminder_note="!"
    )

    update_lead(lead, by=user, status="todo")

    lead.refresh_from_db()
    assert (lead.remind_date, lead.remind_time, lead.reminder_at) == (None, None, None)
    assert (lead.reminder_duration, lead.reminder_note) == (None, "")


def test_a_lead_on_standby_keeps_its_remind_date(lead, user):
    update_lead(lead, by=user, status="standby", remind_date="2030-07-01")

    with pytest.raises(Invalid, match="standby needs"):
        update_lead(lead, by=user, remind_date=None)

    lead.refresh_from_db()
    assert lead.remind_date == date(2030, 7, 1)


@pytest.mark.parametrize("status", ["won", "lost", "cancelled"])
def test_closing_a_lead_sets_when_and_opening_it_takes_that_away(lead, user, status):
    with time_machine.travel("2030-05-01 12:00:00Z", tick=False):
        update_lead(lead, by=user, status=status)

    assert lead.closed_at == datetime(2030, 5, 1, 12, tzinfo=UTC)
    [(name, changes)] = events_of(lead)
    assert name == "lead.status_changed"
    assert changes["status"] == ["todo", status]

    update_lead(lead, by=user, status="todo")

    lead.refresh_from_db()
    assert lead.closed_at is None


def test_a_probability_needs_an_amount(lead, user):
    with pytest.raises(Invalid, match="without an amount"):
        update_lead(lead, by=user, probability=50)

    update_lead(lead, by=user, probability=50, amount=1562.89)

    lead.refresh_from_db()
    assert (lead.amount, lead.probability) == (Decimal("1562.89"), 50)


def test_taking_the_amount_away_takes_the_probability_with_it(lead, user):
    update_lead(lead, by=user, probability=50, amount=100)

    update_lead(lead, by=user, amount=None)

    lead.refresh_from_db()
    assert (lead.amount, lead.probability) == (None, None)


@pytest.mark.parametrize(
    "change", [{"status": "won"}, {"starred": True}, {"amount": 5}, {"probability": 5}, {"step": "Proposal"}]
)
def test_an_unassigned_lead_cannot_change(sales, user, change):
    lead = create_lead(sales, by=user, title="Nobody's")
    change = {
        name: Step.objects.get(name=value) if name == "step" else value for name, value in change.items()
    }

    with pytest.raises(Invalid, match="assign the lead") as refusal:
        update_lead(lead, by=user, **change)

    assert (refusal.value.field, refusal.value.rule) == (next(iter(change)), "unassigned")
    assert events_of(lead) == []


def test_an_unassigned_lead_may_change_with_its_assignment(sales, user):
    lead = create_lead(sales, by=user, title="Nobody's")

    update_lead(lead, by=user, owner=user, status="won", title="Somebody's")

    assert sorted(name for name, _ in events_of(lead)) == [
        "lead.assigned",
        "lead.status_changed",
        "lead.updated",
    ]


def test_a_lead_can_be_given_back(lead, user):
    assign_lead(lead, None, by=user)

    assert Lead.objects.get().owner is None
    assert [name for name, _ in events_of(lead)] == ["lead.assigned"]


def test_an_unassigned_lead_may_be_described(sales, user):
    lead = create_lead(sales, by=user, title="Nobody's")

    update_lead(lead, by=user, title="Still nobody's", description="A note", tags=["x"])

    lead.refresh_from_db()
    assert lead.title == "Still nobody's"


def test_who_is_given_a_lead_is_mailed(lead, user, seller):
    assign_lead(lead, seller, by=user)

    notice = Notice.objects.get()
    assert (notice.to, notice.subject) == (seller.email, "Lead assigned: Loretta Inc.")
    assert f"/leads/{lead.pk}\n" in notice.text
    assert [name for name, _ in events_of(lead)] == ["lead.assigned"]


def test_who_takes_a_lead_or_wants_no_mail_is_not_mailed(lead, user, sales):
    quiet = UserFactory(account=sales, wants_assignment_mail=False)

    assign_lead(lead, quiet, by=user)
    assign_lead(lead, user, by=user)
    assign_lead(lead, None, by=user)

    assert not Notice.objects.exists()


def test_a_deleted_lead_comes_back_as_it_was(lead, user):
    delete_lead(lead, by=user)

    assert list(Lead.objects.alive()) == []
    assert find("lead", "loretta") == []
    with pytest.raises(NotFound):
        update_lead(Lead.objects.get(), by=user, title="Ghost")

    restore_lead(lead, by=user)
    restore_lead(lead, by=user)

    assert Lead.objects.alive().get().title == "Loretta Inc."
    assert find("lead", "loretta") == [lead.pk]
    assert [name for name, _ in events_of(lead)] == ["lead.deleted", "lead.restored"]


def test_many_leads_are_deleted_at_once(lead, user, sales):
    other = create_lead(sales, by=user, title="Other", tags=["x"])
    gone = create_lead(sales, by=user, title="Gone")
    delete_lead(gone, by=user)
    kept = create_lead(sales, by=user, title="Kept")
    foreign = LeadFactory()

    delete_leads([other, lead, gone, foreign], by=user)

    assert list(Lead.objects.alive()) == [kept]
    assert find("lead", "loretta") == []
    assert [name for name, _ in events_of(other)] == ["lead.deleted"]
    assert [name for name, _ in events_of(gone)] == ["lead.deleted"]
    assert Event.objects.about(other).last().data["object"]["tags"] == ["x"]
    assert Lead.objects.get(pk=other.pk).version == 2
    restore_lead(lead, by=user)
    assert find("lead", "loretta") == [lead.pk]


def test_deleting_many_takes_no_more_queries_for_more(sales, user, django_assert_max_num_queries):
    leads = [create_lead(sales, by=user, title="L") for _ in range(20)]

    with django_assert_max_num_queries(15):
        delete_leads(leads, by=user)

    assert not Lead.objects.alive().exists()


def test_a_copy_says_the_same_and_is_to_be_done(sales, user):
    folder = CompanyFactory(account=sales)
    lead = create_lead(
        sales, by=user, title="Loretta Inc.", description="Email: a@x.com", owner=user, tags=["x", "Y"],
        client_folder=folder, custom_fields={"job": "CTO"}, amount=5, status="won", starred=True,
        step=Step.objects.get(name="Proposal"),
    )  # fmt: skip

    copy = Lead.objects.get(pk=duplicate_lead(lead, by=user).pk)
    moved = duplicate_lead(lead, by=user, step=Step.objects.get(name="Closing"))

    assert copy.pk != lead.pk
    assert (copy.title, copy.description, copy.owner, copy.contact) == (
        "Loretta Inc.", "Email: a@x.com", user, lead.contact,
    )  # fmt: skip
    assert (copy.status, copy.amount, copy.starred, copy.closed_at) == ("todo", None, False, None)
    assert (copy.step.name, moved.step.name) == ("Proposal", "Closing")
    assert [tag.name for tag in copy.tags.all()] == ["x", "Y"]
    assert (copy.client_folder, copy.custom_fields) == (folder, {"job": "CTO"})
    assert Event.objects.about(copy).get().name == "lead.created"


def test_a_copy_leaves_out_what_is_there_no_more(sales, user):
    owner, folder = UserFactory(account=sales), CompanyFactory(account=sales)
    lead = create_lead(sales, by=user, title="L", owner=owner, client_folder=folder)
    Lead.objects.update(custom_fields={"job": "CTO", "forgotten": 1})
    owner.disabled_at = folder.deleted_at = datetime(2020, 1, 1, tzinfo=UTC)
    owner.save()
    folder.save()

    copy = duplicate_lead(Lead.objects.get(pk=lead.pk), by=user)

    assert (copy.owner, copy.client_folder, copy.custom_fields) == (None, None, {"job": "CTO"})


def test_what_lists_show_of_leads_takes_the_same_queries_for_more(sales, user, django_assert_num_queries):
    for number in range(4):
        owner = UserFactory(account=sales)
        TeamMemberFactory(account=sales, user=owner)
        folder = CompanyFactory(account=sales)
        create_lead(sales, by=user, title="L", owner=owner, tags=[f"t{number}"], client_folder=folder)

    with django_assert_num_queries(3):
        shown = [
            (lead.step.pipeline.name, lead.client_folder.name, [tag.name for tag in lead.tags.all()],
             [member.team.name for member in lead.owner.memberships.all()], lead.reminder_activity)
            for lead in Lead.objects.with_parts()
        ]  # fmt: skip

    assert len(shown) == 4


@pytest.mark.parametrize(("description", "more"), [("A note", 0), ("Call a@x.com", 1), ("Phone: 1", 2)])
def test_what_finds_a_lead_costs_a_statement_and_one_for_its_fields(
    sales, user, django_assert_num_queries, description, more
):
    facts = {"by": user, "title": "L", "step": Step.objects.get(name="Incoming")}
    create_lead(sales, **facts)  # the first of a table costs more
    with CaptureQueriesContext(connection) as plain:
        create_lead(sales, **facts)

    with django_assert_num_queries(len(plain) + more):
        create_lead(sales, **facts, description=description)

    assert LeadKey.objects.count() == bool(more)


DESCRIPTION = (
    "Firstname: Natalia\r\nLastname:Bawer\nEMAIL :  Natalia@Loretta.com \n"
    "Phone: 801 274\n--- \nEmail: b@c.de\n "
)


def test_the_description_is_stored_exactly_and_names_the_contact(sales, user):
    lead = create_lead(sales, by=user, title="Loretta Inc.", description=DESCRIPTION)

    lead = Lead.objects.get(pk=lead.pk)
    assert lead.description == DESCRIPTION
    assert (lead.contact.name, lead.contact.email, lead.contact.phone) == (
        "Natalia Bawer",
        "Natalia@Loretta.com",
        "801 274",
    )


def test_the_contact_of_the_address_is_found_by_any_of_its_addresses(sales, user):
    known = create_contact(
        sales, by=user, emails=[{"address": "x@y.org"}, {"address": "natalia@loretta.com"}]
    )

    lead = create_lead(sales, by=user, title="Loretta Inc.", description=DESCRIPTION)

    assert lead.contact == known
    assert Contact.objects.count() == 1


def test_a_contact_that_is_given_goes_before_the_description(sales, user):
    chosen = create_contact(sales, by=user, first_name="Chosen")

    lead = create_lead(sales, by=user, title="Loretta Inc.", description=DESCRIPTION, contact=chosen)

    assert lead.contact == chosen
    assert Contact.objects.count() == 1


@pytest.mark.parametrize(
    "text", ["Email: none yet", "Mail: a@b.com", "Email:", "no colon", "x: Email: a@b.com"]
)
def test_a_description_without_an_address_links_nobody(sales, user, text):
    lead = create_lead(sales, by=user, title="Loretta Inc.", description=text)

    assert lead.contact is None
    assert not Contact.objects.exists()


def test_another_address_in_the_description_links_another_contact(sales, user):
    lead = create_lead(sales, by=user, title="L", description="Email: a@example.com")

    update_lead(lead, by=user, description="Email: b@example.com")

    lead.refresh_from_db()
    assert lead.contact.email == "b@example.com"

    update_lead(lead, by=user, description="")

    lead.refresh_from_db()
    assert lead.contact is None


def test_a_contact_chosen_by_hand_stays_while_the_address_stays(sales, user):
    lead = create_lead(sales, by=user, title="L", description="Email: a@example.com")
    chosen = create_contact(sales, by=user, first_name="Chosen")
    update_lead(lead, by=user, contact=chosen)

    update_lead(lead, by=user, description="Email: a@example.com\nA note")
    update_lead(lead, by=user, description="A note")

    lead.refresh_from_db()
    assert lead.contact == chosen


def test_a_lead_of_another_account_does_not_exist(account, user):
    foreign = LeadFactory()

    with pytest.raises(NotFound):
        update_lead(foreign, by=user, title="Mine")
