"""What GET leads shows, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from crm.comments import create_comment
from crm.leads import create_lead
from crm.models import Field, Lead
from pipelime.accounts.models import Account
from tests.factories import LeadFactory, PipelineFactory, StepFactory, TagFactory, UserFactory

DENVER_NOON = datetime(2030, 3, 12, 18, tzinfo=UTC)  # 12:00 there


@pytest.fixture
def lead(account, user):
    """Makes a lead that somebody owns."""

    def make(title: str = "Acme", **facts) -> Lead:
        tags = facts.pop("tags", ())
        made = LeadFactory(account=account, title=title, **{"owner": user, **facts})
        made.tags.set(TagFactory(account=account, name=name) for name in tags)
        return made

    return make


def titles(client, query: str = "") -> list[str]:
    answer = client.get(f"/api/v2/leads{query}")
    assert answer.status_code == 200, answer.content
    return [found["title"] for found in answer.json()]


def refusal(client, query: str) -> tuple[int, str]:
    answer = client.get(f"/api/v2/leads{query}")
    assert answer.json()["error"] == answer.status_code
    return answer.status_code, answer.json()["message"]


def test_the_newest_lead_comes_first(program, lead):
    lead("old"), lead("new")

    assert titles(program) == ["new", "old"]
    assert titles(program, "?direction=asc") == ["old", "new"]


def test_a_hundred_are_shown_and_all_are_counted(program, lead, user):
    step = lead().step
    Lead.objects.bulk_create(
        Lead(account=step.account, step=step, owner=user, title=f"Lead {number}") for number in range(100)
    )

    answer = program.get("/api/v2/leads")

    assert len(answer.json()) == 100
    assert answer["X-TOTAL-COUNT"] == "101"


def test_limit_and_offset_walk_through_the_list(program, lead):
    for title in ("a", "b", "c", "d"):
        lead(title)

    answer = program.get("/api/v2/leads?direction=asc&limit=2&offset=1")

    assert [found["title"] for found in answer.json()] == ["b", "c"]
    assert answer["X-TOTAL-COUNT"] == "4"
    assert titles(program, "?offset=4") == []
    assert titles(program, "?limit=100000") == ["d", "c", "b", "a"]


@pytest.fixture
def ordered(lead, account):
    """Three leads in an order of their own by each attribute; the last one has no value to compare."""
    pipeline = PipelineFactory(account=account)
    first, second, third = (
        StepFactory(account=account, pipeline=pipeline, position=position) for position in (1, 2, 3)
    )
    day = DENVER_NOON.replace
    lead(
        "beta", step=first, amount=300, probability=50, reminder_at=day(day=2),
        created_at=day(day=1), updated_at=day(day=3),
    )  # fmt: skip
    lead(
        "Alpha", step=third, amount=200, probability=80, reminder_at=day(day=1),
        created_at=day(day=3), updated_at=day(day=1),
    )  # fmt: skip
    lead("gamma", step=second, created_at=day(day=2), updated_at=day(day=2))


@pytest.mark.parametrize(
    ("order", "ascending", "descending"),
    [
        ("id", ["beta", "Alpha", "gamma"], ["gamma", "Alpha", "beta"]),
        ("creation_date", ["beta", "gamma", "Alpha"], ["Alpha", "gamma", "beta"]),
        ("last_update", ["Alpha", "gamma", "beta"], ["beta", "gamma", "Alpha"]),
        ("next_action", ["Alpha", "beta", "gamma"], ["beta", "Alpha", "gamma"]),
        ("sale_step", ["beta", "gamma", "Alpha"], ["Alpha", "gamma", "beta"]),
        ("amount", ["Alpha", "beta", "gamma"], ["beta", "Alpha", "gamma"]),
        ("probability", ["beta", "Alpha", "gamma"], ["Alpha", "beta", "gamma"]),
        ("probalized_amount", ["beta", "Alpha", "gamma"], ["Alpha", "beta", "gamma"]),
        ("alphabetically", ["Alpha", "beta", "gamma"], ["gamma", "beta", "Alpha"]),
    ],
)
def test_leads_are_ordered_and_those_without_a_value_come_last(
    program, ordered, order, ascending, descending
):
    assert titles(program, f"?order={order}&direction=asc") == ascending
    assert titles(program, f"?order={order}&direction=desc") == descending
    assert titles(program, f"?order={order}") == descending


@pytest.mark.parametrize("order", ["amount", "next_action", "sale_step"])
def test_ties_stand_by_id(program, lead, order):
    step = lead("a", amount=5).step
    lead("b", amount=5, step=step), lead("c", amount=5, step=step)

    assert titles(program, f"?order={order}&direction=asc") == ["a", "b", "c"]
    assert titles(program, f"?order={order}&direction=desc") == ["c", "b", "a"]


def test_statuses_are_one_or_several(program, lead):
    now = timezone.now()
    lead("todo"), lead("won", status="won", closed_at=now), lead("lost", status="lost", closed_at=now)

    assert titles(program, "?status=won") == ["won"]
    assert titles(program, "?status=todo,lost") == ["lost", "todo"]
    assert titles(program, "?status[]=todo&status[]=won") == ["won", "todo"]
    assert titles(program, "?status=") == ["lost", "won", "todo"]


def test_steps_go_by_their_exact_names_or_by_id(program, lead, account):
    first = lead("first", step=StepFactory(account=account, name="Incoming")).step
    lead("second", step=StepFactory(account=account, name="Demo, booked"))
    lead("third", step=StepFactory(account=account, name="Closing"))

    assert titles(program, "?step=Incoming") == ["first"]
    assert titles(program, "?step=Incoming,Closing") == ["third", "first"]
    assert titles(program, "?step=Demo, booked") == ["second"]
    assert titles(program, f"?step={first.pk}") == ["first"]
    assert titles(program, f"?step[]={first.pk}&step[]=Demo, booked") == ["second", "first"]


def test_a_name_that_two_pipelines_have_means_both_steps(program, lead, account):
    lead("here", step=StepFactory(account=account, name="Incoming"))
    lead("there", step=StepFactory(account=account, name="Incoming"))

    assert titles(program, "?step=Incoming") == ["there", "here"]


def test_starred_leads_alone(program, lead):
    lead("plain"), lead("starred", starred=True)

    assert titles(program, "?starred=true") == ["starred"]
    assert titles(program, "?starred=false") == ["starred", "plain"]


def test_leads_of_one_person(program, lead, account):
    other = UserFactory(account=account, email="juliette@example.com")
    lead("mine"), lead("hers", owner=other)

    assert titles(program, f"?user_id={other.pk}") == ["hers"]
    assert titles(program, "?user_id=Juliette@example.com") == ["hers"]


def test_an_address_is_found_in_descriptions_and_comments(program, furnished, user):
    facts = {"by": user, "owner": user}
    create_lead(furnished, title="described", description="Email: natalia@loretta.com", **facts)
    commented = create_lead(furnished, title="commented", description="Nothing", **facts)
    create_comment(commented, by=user, content="Ask Natalia@loretta.com")
    create_lead(furnished, title="other", description="Email: john@acme.com", **facts)

    assert titles(program, "?email=natalia@loretta.com") == ["commented", "described"]
    assert titles(program, "?email=nobody@loretta.com") == []


def test_the_value_of_a_key_field_finds_a_lead(program, furnished, user):
    facts = {"by": user, "owner": user}
    create_lead(furnished, title="one", description="Phone: 801 274 6798", **facts)
    create_lead(furnished, title="two", description="Phone: 555 333 5678", **facts)

    assert titles(program, "?field_key=Phone&field_value=801-274-6798") == ["one"]
    assert titles(program, "?field_key=Phone&field_value=1") == []


def test_a_field_is_searched_only_where_it_is_a_key(program, furnished):
    assert not Field.objects.get(kind="lead", name="Firstname").is_key

    unknown = (400, "Parameter field_key not recognized.")
    assert refusal(program, "?field_key=Firstname&field_value=John") == unknown
    assert refusal(program, "?field_key=Nothing&field_value=John") == unknown


def test_key_and_value_belong_together(program, furnished):
    assert refusal(program, "?field_key=Phone") == (422, "Missing required parameter: field_value")
    assert refusal(program, "?field_value=1") == (422, "Missing required parameter: field_key")


def test_searching_key_fields_needs_an_edition(program, furnished):
    furnished.plan = Account.Plan.STARTER
    furnished.save()

    assert refusal(program, "?field_key=Phone&field_value=1") == (403, "Cannot access this feature.")


def test_leads_with_all_of_the_tags(program, lead):
    both = lead("both", tags=["US", "small"])
    lead("one").tags.set([both.tags.get(name="US")])

    assert titles(program, "?tags=us") == ["one", "both"]
    assert titles(program, "?tags=US,small") == ["both"]
    assert titles(program, "?tags[]=US&tags[]=SMALL") == ["both"]
    assert titles(program, "?tags=US,unheard") == []


def test_leads_updated_since_a_moment(program, lead):
    lead("before", updated_at=datetime(2030, 3, 12, 17, 59, tzinfo=UTC))
    lead("after", updated_at=DENVER_NOON)

    assert titles(program, "?updated_after=2030-03-12T18:00:00.000Z") == ["after"]
    assert titles(program, "?updated_after=2030-03-12 17:00:00") == ["after", "before"]


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("", "created_at"),
        ("creation", "created_at"),
        ("update", "updated_at"),
        ("next_action", "reminder_at"),
        ("closed", "closed_at"),
    ],
)
def test_a_range_of_dates_holds_both_of_its_days_as_the_account_counts_them(
    program, furnished, lead, kind, column
):
    status = {"status": "won", "closed_at": DENVER_NOON} if column == "closed_at" else {}
    # The 12th of March in Denver is from 6:00 in UTC, by summer time, to 6:00 the next day.
    lead("eve", **{**status, column: datetime(2030, 3, 12, 5, 59, tzinfo=UTC)})
    lead("begin", **{**status, column: datetime(2030, 3, 12, 6, tzinfo=UTC)})
    lead("end", **{**status, column: datetime(2030, 3, 13, 5, 59, tzinfo=UTC)})
    lead("next day", **{**status, column: datetime(2030, 3, 13, 6, tzinfo=UTC)})
    asked = f"&date_range_type={kind}" if kind else ""

    assert titles(program, f"?start_date=2030-03-12&end_date=2030-03-12{asked}") == ["end", "begin"]
    assert titles(program, f"?start_date=2030-03-13{asked}") == ["next day"]
    assert titles(program, f"?end_date=2030-03-11{asked}") == ["eve"]
    assert titles(program, f"?end_date=2030-03-12T06:00:00Z{asked}") == ["begin", "eve"]


def test_unassigned_leads_are_shown_only_when_asked_for(program, lead):
    lead("somebody's"), lead("nobody's", owner=None)

    assert titles(program) == ["somebody's"]
    assert titles(program, "?include_unassigned=true") == ["nobody's", "somebody's"]
    assert titles(program, "?include_unassigned=false") == ["somebody's"]


def test_deleted_leads_are_not_listed(program, lead):
    lead("kept"), lead("deleted", deleted_at=timezone.now())

    assert titles(program) == ["kept"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?status=sold", "Parameter status not recognized."),
        ("?status=todo,sold", "Parameter status not recognized."),
        ("?step=Nowhere", "Parameter step not recognized."),
        ("?step=987654321", "Parameter step not recognized."),
        ("?user_id=987654321", "Parameter user_id not recognized."),
        ("?user_id=nobody@example.com", "Parameter user_id not recognized."),
        ("?user_id=%00", "Parameter user_id not recognized."),
        ("?order=size", "Parameter order not recognized."),
        ("?direction=up", "Parameter direction not recognized."),
        ("?starred=maybe", "Parameter starred not recognized."),
        ("?limit=-1", "Parameter limit not recognized."),
        ("?offset=x", "Parameter offset not recognized."),
        ("?date_range_type=birth&start_date=2030-01-01", "Parameter date_range_type not recognized."),
        ("?updated_after=soon", "The date updated_after is not formatted properly"),
        ("?start_date=31/01/2030", "The date start_date is not formatted properly"),
        ("?end_date=2030-02-31", "The date end_date is not formatted properly"),
        ("?end_date=9999-12-31", "The date end_date is not formatted properly"),
        ("?updated_after=0001-01-01", "The date updated_after is not formatted properly"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_the_document_s_words(program, query, message):
    assert refusal(program, query) == (400, message)


ODD = [
    "",
    "%20",
    "0",
    "-1",
    "9" * 30,
    "%00",
    "%F0%9F%98%80",
    "a,b,,",
    "1.5",
    "[]",
    "2030-01-01T00:00:00+14:00",
]
PARAMETERS = (
    "direction", "order", "limit", "status", "step", "starred", "user_id", "email", "field_key",
    "field_value", "tags", "offset", "updated_after", "start_date", "end_date", "date_range_type",
    "include_unassigned", "tags[]", "status[]", "step[]",
)  # fmt: skip


@pytest.mark.parametrize("name", PARAMETERS)
def test_odd_values_are_answered_and_never_break(program, furnished, lead, name):
    lead("found")

    codes = {program.get(f"/api/v2/leads?{name}={value}").status_code for value in ODD}

    assert codes <= {200, 400, 422}


def test_unknown_parameters_are_ignored(program, lead):
    lead("found")

    assert titles(program, "?nonsense=1&page=7") == ["found"]


@pytest.mark.parametrize(
    ("visibility", "seen"),
    [("everyone", ["stranger's", "colleague's", "own"]), ("own", ["own"])],
)
def test_a_person_s_list_holds_what_that_person_may_see(logged_in, account, seller, lead, visibility, seen):
    account.lead_visibility = visibility
    account.save()
    lead("own", owner=seller), lead("colleague's"), lead("stranger's", owner=UserFactory(account=account))

    assert titles(logged_in(seller)) == seen


def test_who_does_not_see_unassigned_leads_may_not_ask_for_them(logged_in, seller, lead):
    lead("own", owner=seller), lead("nobody's", owner=None)
    seller.sees_unassigned = False
    seller.save()

    told = "Unauthorized: the user has not the privileges to do this action."
    assert titles(logged_in(seller)) == ["own"]
    assert refusal(logged_in(seller), "?include_unassigned=true") == (401, told)


def test_who_sees_unassigned_leads_may_ask_for_them(logged_in, seller, lead):
    lead("own", owner=seller), lead("nobody's", owner=None)

    assert titles(logged_in(seller), "?include_unassigned=true") == ["nobody's", "own"]


def test_amounts_below_a_whole_percent_are_ordered_exactly(program, lead):
    (
        lead("less", amount=Decimal("100.01"), probability=1),
        lead("more", amount=Decimal("50.02"), probability=2),
    )

    assert titles(program, "?order=probalized_amount&direction=asc") == ["less", "more"]
