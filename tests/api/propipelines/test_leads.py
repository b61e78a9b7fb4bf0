"""Leads made, shown, changed, given away and deleted over this API."""

from __future__ import annotations

import json
from datetime import date, time
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from crm.comments import create_comment
from crm.follow_ups import create_follow_up
from crm.leads import assign_lead, create_lead, update_lead
from crm.models import ActivityType, Field, Lead, Pipeline, Step
from pipelime.accounts.models import Notice
from pipelime.accounts.teams import create_team
from pipelime.api.propipelines.lead_facts import READERS
from tests.api.moments import in_milliseconds
from tests.factories import CompanyFactory, LeadFactory, PipelineFactory, StepFactory, UserFactory

NATALIA = (
    "Firstname: Natalia\nLastname: Bawer\nEmail: natalia.bawer@loretta-inc.com\nMobile: 832 764 1930 \n"
    "Department: Sales\n--- \nMet at a seminar."
)
NOT_FOUND = "Entry not found -- The specified object could not be found"
UNASSIGNED = (
    "You cannot update the parameters status, step, starred, amount or probability "
    "without assigning the lead first."
)
NO_REMINDER = "Missing parameter: remind_at is required when status is changed to standby"
NO_DATE = "Date format invalid for remind_date (YYYY-MM-DD) or remind_time (HH:MM)"
NO_AMOUNT = "A probability cannot be set without an amount"


@pytest.fixture
def stef(furnished, user):
    """The administrator, as the document calls her."""
    user.first_name, user.last_name, user.email = "Stéphanie", "Stone", "stef@example.com"
    user.phone = "2223334444"
    user.save()
    return user


@pytest.fixture
def lead(furnished, stef):
    """A lead of hers, made through the verbs."""
    return create_lead(
        furnished, by=stef, title="Loretta Inc.", description=NATALIA, owner=stef, tags=["US", "small"]
    )


def sent(client, method: str, path: str, body):
    return client.generic(method, f"/api/v2/{path}", json.dumps(body), content_type="application/json")


def made(client, **body):
    return sent(client, "POST", "leads", {"title": "Acme", "description": "Email: a@b.example", **body})


def put(client, lead, **body):
    return sent(client, "PUT", f"leads/{lead.pk}", body)


def told(answer) -> tuple[int, str]:
    assert answer.json()["error"] == answer.status_code
    return answer.status_code, answer.json()["message"]


# --- made


def test_a_program_s_lead_belongs_to_nobody_unless_it_says_to_whom(program, stef):
    unassigned, assigned = made(program), made(program, user_id="stef@example.com")

    assert (unassigned.status_code, unassigned.json()["user_id"]) == (201, None)
    assert (assigned.status_code, assigned.json()["user_id"]) == (201, stef.pk)
    assert unassigned.json()["created_by_id"] == stef.pk
    assert made(program, user_id=stef.pk).json()["user_id"] == stef.pk


def test_a_person_s_lead_is_their_own(logged_in, furnished, seller):
    answer = made(logged_in(seller))

    assert answer.status_code == 201
    assert (answer.json()["user_id"], answer.json()["created_by_id"]) == (seller.pk, seller.pk)


def test_a_person_cannot_make_a_lead_for_another(logged_in, furnished, seller, user):
    answer = made(logged_in(seller), user_id=user.pk)

    assert told(answer) == (400, "Parameter user_id should not be used with USER token.")
    assert not Lead.objects.exists()


def test_a_new_lead_carries_what_it_was_made_with(program, stef):
    answer = made(program, user_id=stef.pk, tags=["prospect", "google"], step="In-touch").json()

    assert answer["tags"] == ["google", "prospect"]
    assert (answer["step"], answer["status"], answer["created_from"]) == ("In-touch", "Todo", "api")
    assert (answer["currency"], answer["amount"], answer["starred"]) == ("USD", None, None)
    assert answer["extended_info"]["first_contact_email"] == "a@b.example"
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2020-02-03 10:11:12", "2020-02-03T17:11:12.000Z"),  # the account's time: Denver's
        ("2020-02-03T10:11:12.345Z", "2020-02-03T10:11:12.345Z"),
    ],
)
def test_a_lead_may_be_older_than_its_entry(program, furnished, written, moment):
    assert made(program, created_at=written).json()["created_at"] == moment


def test_a_body_of_form_pairs_is_read_as_well(program, stef):
    pairs = [
        ("title", "Acme"), ("description", "Email: a@b.example"), ("user_id", stef.email),
        ("tags[]", "prospect"), ("tags[]", "google"),
    ]  # fmt: skip
    answer = program.generic("POST", "/api/v2/leads", urlencode(pairs), content_type="application/json")

    assert answer.status_code == 201
    assert answer.json()["tags"] == ["google", "prospect"]


def test_a_description_written_as_part_of_a_url_is_decoded(program, furnished):
    answer = made(
        program, description="Firstname%3A+John%0ALastname%3A+Doe%0AEmail%3A+john.doe%40company.com"
    )

    assert answer.json()["description"] == "Firstname: John\nLastname: Doe\nEmail: john.doe@company.com"
    assert answer.json()["extended_info"]["all_contact_emails"] == ["john.doe@company.com"]


@pytest.mark.parametrize("text", ["100%25 sure", "a+b", "See example.com/a%20b", "x: 5%0A off", "50%"])
def test_other_descriptions_stay_as_they_were_sent(program, furnished, text):
    assert made(program, description=text).json()["description"] == text


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"title": ""}, 422, "Missing required parameter: title"),
        ({"description": None}, 422, "Missing required parameter: description"),
        ({"user_id": "nobody@example.com"}, 400, "Parameter user_id not recognized."),
        ({"user_id": 987654321}, 400, "Parameter user_id not recognized."),
        ({"step": "Nowhere"}, 404, NOT_FOUND),
        ({"created_at": "yesterday"}, 400, "The date created_at is not formatted properly"),
    ],
)
def test_what_cannot_be_made_is_refused_in_the_document_s_words(program, furnished, body, status, message):
    assert told(made(program, **body)) == (status, message)
    assert not Lead.objects.exists()


def test_a_disabled_person_gets_no_leads(program, furnished):
    gone = UserFactory(account=furnished, disabled_at="2020-01-01T00:00:00Z")

    assert told(made(program, user_id=gone.pk)) == (400, "Parameter user_id not recognized.")


@pytest.mark.parametrize("blank", [None, ""])
def test_a_blank_owner_is_none_given(program, logged_in, furnished, seller, blank):
    assert made(program, user_id=blank).json()["user_id"] is None
    assert made(logged_in(seller), user_id=blank).json()["user_id"] == seller.pk


ODD = [None, "", "\t", 0, -1, 1.5, 10**30, True, "é" * 300, [], [[]], ["x"], {}, {"a": 1}]


@pytest.mark.parametrize("name", READERS)
def test_odd_values_are_answered_and_never_break(program, lead, name):
    answers = [put(program, lead, **{name: value}) for value in ODD]
    answers += [made(program, **{name: value}) for value in ODD]

    assert {answer.status_code for answer in answers} <= {200, 201, 400, 404, 422}


# --- shown


def test_a_lead_is_shown_whole(program, furnished, stef, lead, settings):
    settings.PIPELIME_URL = "https://crm.example"
    Field.objects.filter(kind="lead", name="Job").update(name="Department")
    juliette = UserFactory(
        account=furnished, first_name="Juliette", last_name="Rose", email="juliette@example.com"
    )
    team = create_team(furnished, by=stef, name="Web Sales", members=[(juliette, False), (stef, True)])
    folder = CompanyFactory(account=furnished, name="Acme", description="VAT: 1", is_client=True)
    update_lead(
        lead, by=stef, amount=2400, probability=30, starred=True, status="standby", client_folder=folder,
        remind_date=date(2030, 3, 12), remind_time=time(9), reminder_duration=30,
        estimated_closing_date=date(2030, 5, 1),
    )  # fmt: skip
    create_comment(lead, by=stef, content="Ask Bob@loretta-inc.com, too")

    answer = program.get(f"/api/v2/leads/{lead.pk}")

    brief = {"id": stef.pk, "lastname": "Stone", "firstname": "Stéphanie", "email": "stef@example.com"}
    rose = {"id": juliette.pk, "lastname": "Rose", "firstname": "Juliette", "email": "juliette@example.com"}
    lead.refresh_from_db()
    assert answer.status_code == 200
    assert answer.json() == {
        "id": lead.pk, "title": "Loretta Inc.", "pipeline": None, "step": "Incoming", "step_id": lead.step_id,
        "status": "Standby", "amount": 2400.0, "probability": 30, "currency": "USD", "starred": True,
        "remind_date": "2030-03-12", "remind_time": "09:00", "reminder_at": "2030-03-12T15:00:00.000Z",
        "next_action_at": "2030-03-12T15:00:00.000Z", "reminder_duration": 30,
        "created_at": in_milliseconds(lead.created_at), "estimated_closing_date": "2030-05-01",
        "updated_at": in_milliseconds(lead.updated_at), "closed_at": None, "description": NATALIA,
        "html_description": (
            "Firstname: Natalia<br />Lastname: Bawer<br />Email: natalia.bawer@loretta-inc.com<br />"
            "Mobile: 832 764 1930 <br />Department: Sales<br />"
            '<p class="lead-desc-separator">---</p>Met at a seminar.'
        ),
        "tags": ["small", "US"], "created_from": "api", "created_by_id": stef.pk, "user_id": stef.pk,
        "team_id": team.pk, "client_folder_id": folder.pk, "client_folder_name": "Acme",
        "attachment_count": 0,
        "extended_info": {
            "first_contact_email": "natalia.bawer@loretta-inc.com",
            "all_contact_emails": ["natalia.bawer@loretta-inc.com", "Bob@loretta-inc.com"],
            "permalink": f"https://crm.example/leads/{lead.pk}",
            "fields": {
                "email": "natalia.bawer@loretta-inc.com", "phone": None, "mobile": "832 764 1930 ",
                "address": None, "web": None, "first_name": "Natalia", "last_name": "Bawer",
                "full_name": None, "job": "Sales", "fax": None, "vat": None,
            },
            "fields_by_name": {
                "Firstname": "Natalia", "Lastname": "Bawer", "Email": "natalia.bawer@loretta-inc.com",
                "Mobile": "832 764 1930 ", "Department": "Sales",
            },
            "comment_count": 1, "bcc_count": 0,
            "team": {
                "id": team.pk, "name": "Web Sales",
                "users": [{**brief, "is_manager": True}, {**rose, "is_manager": False}],
                "updated_at": in_milliseconds(team.updated_at),
                "created_at": in_milliseconds(team.created_at),
            },
            "user": {**brief, "phone": "2223334444", "mobile_phone": ""},
            "client_folder": {
                "id": folder.pk, "name": "Acme", "description": "VAT: 1", "is_active": True,
                "created_at": in_milliseconds(folder.created_at),
            },
            "created_by": brief, "business_card_id": None, "visible_by_count": 2, "follow_ups": [],
        },
    }  # fmt: skip


def test_a_lead_without_anything_says_so(program, furnished):
    lead = LeadFactory(account=furnished, title="Bare")

    answer = program.get(f"/api/v2/leads/{lead.pk}").json()

    told = answer["extended_info"]
    assert (answer["user_id"], answer["team_id"], answer["client_folder_id"]) == (None, None, None)
    assert (told["team"], told["user"], told["client_folder"], told["created_by"]) == (None,) * 4
    assert (told["first_contact_email"], told["all_contact_emails"], told["fields_by_name"]) == (None, [], {})
    assert set(told["fields"].values()) == {None}


def test_meanings_that_the_account_has_defined_are_told_besides(program, furnished, stef):
    Field.objects.create(account=furnished, kind="lead", name="Land", key="land", meaning="country")

    answer = made(program, description="Land: France\nEmail: a@b.example").json()

    assert answer["extended_info"]["fields"]["country"] == "France"
    assert answer["extended_info"]["fields_by_name"] == {"Land": "France", "Email": "a@b.example"}


def test_a_pipeline_is_named_where_there_are_several(program, furnished, lead):
    assert program.get(f"/api/v2/leads/{lead.pk}").json()["pipeline"] is None

    PipelineFactory(account=furnished)

    assert program.get(f"/api/v2/leads/{lead.pk}").json()["pipeline"] == "Sales"
    assert program.get("/api/v2/leads").json()[0]["pipeline"] == "Sales"


@pytest.mark.parametrize("status", ["todo", "won", "lost", "cancelled"])
def test_a_status_is_capitalised_by_itself_and_small_in_lists(program, stef, lead, status):
    update_lead(lead, by=stef, status=status)

    assert program.get(f"/api/v2/leads/{lead.pk}").json()["status"] == status.capitalize()
    assert program.get("/api/v2/leads").json()[0]["status"] == status


def test_follow_ups_are_told(program, stef, lead):
    follow_up = create_follow_up(lead, by=stef, title="Billing")

    told = program.get(f"/api/v2/leads/{lead.pk}").json()["extended_info"]["follow_ups"]

    assert [(each["id"], each["title"], each["tasks_count"]) for each in told] == [
        (follow_up.pk, "Billing", 0)
    ]


def test_the_first_team_that_the_owner_has_joined_is_the_lead_s(program, furnished, stef, lead):
    create_team(furnished, by=stef, name="Others")
    first = create_team(furnished, by=stef, name="Web Sales", members=[(stef, False)])
    create_team(furnished, by=stef, name="A Team", members=[(stef, False)])

    assert program.get(f"/api/v2/leads/{lead.pk}").json()["team_id"] == first.pk
    listed = program.get("/api/v2/leads").json()[0]
    assert (listed["team_id"], listed["team_name"]) == (first.pk, "Web Sales")


def test_items_of_the_list_have_these_keys(program, lead):
    [item] = program.get("/api/v2/leads").json()

    assert set(item) == {
        "id", "title", "pipeline", "step", "step_id", "status", "amount", "probability", "currency",
        "starred", "remind_date", "remind_time", "created_at", "estimated_closing_date", "updated_at",
        "description", "html_description", "tags", "created_from", "closed_at", "attachment_count",
        "created_by_id", "user_id", "client_folder_id", "client_folder_name", "team_id", "team_name",
        "next_action_at",
    }  # fmt: skip


def test_unassigned_leads_have_a_list_of_their_own(program, furnished, lead):
    older, newer = LeadFactory(account=furnished, currency="USD"), LeadFactory(account=furnished)

    answer = program.get("/api/v2/leads/unassigned")

    assert [item["id"] for item in answer.json()] == [newer.pk, older.pk]
    assert answer["X-TOTAL-COUNT"] == "2"
    assert {(item["currency"], item["starred"], item["user_id"]) for item in answer.json()} == {
        (None, False, None)
    }
    assert [item["id"] for item in program.get("/api/v2/leads/unassigned?limit=1").json()] == [newer.pk]


def test_unassigned_leads_are_for_those_who_may_see_them(logged_in, furnished, seller):
    LeadFactory(account=furnished)
    assert len(logged_in(seller).get("/api/v2/leads/unassigned").json()) == 1

    seller.sees_unassigned = False
    seller.save()

    answer = logged_in(seller).get("/api/v2/leads/unassigned")
    assert told(answer) == (401, "Unauthorized: the user has not the privileges to do this action.")


def test_a_list_costs_the_same_whatever_its_length(furnished, stef, queries):
    many_leads(furnished, 1)
    few = queries("/api/v2/leads?include_unassigned=true")
    many_leads(furnished, 20)

    assert queries("/api/v2/leads?include_unassigned=true") == few
    assert few <= 8


def test_a_lead_costs_the_same_whatever_it_has(furnished, stef, queries):
    [small] = many_leads(furnished, 1)
    [large] = many_leads(furnished, 1)
    owner = large.owner
    create_team(
        furnished, by=stef, name="Big", members=[(UserFactory(account=furnished), False) for _ in range(5)]
    )
    create_team(furnished, by=stef, name="Own", members=[(owner, False)])
    for number in range(5):
        create_follow_up(large, by=stef, title=f"Step {number}", tags=["a", "b"])
        create_comment(large, by=stef, content=f"c{number}@d.example")

    create_follow_up(small, by=stef, title="One", tags=["a"])

    assert queries(f"/api/v2/leads/{large.pk}") == queries(f"/api/v2/leads/{small.pk}")


def many_leads(account, count: int) -> list[Lead]:
    """Leads with all that a list shows, each of another person, team and client folder."""
    step = Step.objects.order_by("position").first()
    found = []
    for number in range(count):
        owner = UserFactory(account=account)
        create_team(account, by=None, name=f"Team of {owner.pk}", members=[(owner, True)])
        folder = CompanyFactory(account=account)
        facts = {"owner": owner, "client_folder": folder, "tags": [f"tag {number}", "US"], "amount": 5}
        found.append(
            create_lead(account, by=owner, title=f"Lead {number}", description=NATALIA, step=step, **facts)
        )
    return found


# --- changed


def test_every_parameter_changes_what_it_names(program, furnished, stef, lead):
    call = ActivityType.objects.get(name="Call")
    juliette = UserFactory(account=furnished, email="juliette@example.com")

    answer = put(
        program, lead, title="Loretta Ltd", description="Email: n@loretta.example", status="standby",
        remind_date="2030-03-12", remind_time="09:15", reminder_duration=45, reminder_activity_id=call.pk,
        reminder_note="Ask for Bob", amount=1562.89, probability=85, starred=True, step="In-touch",
        user_id="juliette@example.com", tags=["EU"], created_at="2020-02-03 10:11:12",
        estimated_closing_date="2030-06-30",
    )  # fmt: skip

    lead.refresh_from_db()
    assert answer.status_code == 200
    shown = answer.json()
    assert {name: shown[name] for name in ("title", "description", "status", "amount", "probability")} == {
        "title": "Loretta Ltd", "description": "Email: n@loretta.example", "status": "Standby",
        "amount": 1562.89, "probability": 85,
    }  # fmt: skip
    assert (shown["remind_date"], shown["remind_time"]) == ("2030-03-12", "09:15")
    assert (shown["reminder_at"], shown["reminder_duration"]) == ("2030-03-12T15:15:00.000Z", 45)
    assert (shown["starred"], shown["step"], shown["tags"]) == (True, "In-touch", ["EU"])
    assert (shown["created_at"], shown["estimated_closing_date"]) == (
        "2020-02-03T17:11:12.000Z",
        "2030-06-30",
    )
    assert (lead.owner, lead.reminder_activity, lead.reminder_note) == (juliette, call, "Ask for Bob")
    assert lead.amount == Decimal("1562.89")


def test_only_what_is_given_changes(program, stef, lead):
    answer = put(program, lead, title="Loretta Ltd", nonsense=5).json()

    assert (answer["title"], answer["description"], answer["tags"]) == (
        "Loretta Ltd", NATALIA, ["small", "US"],
    )  # fmt: skip


def test_a_null_takes_away_what_can_be_missing_and_leaves_the_rest(program, stef, lead):
    update_lead(
        lead, by=stef, amount=5, probability=10, starred=True, estimated_closing_date=date(2030, 1, 1)
    )

    answer = put(
        program, lead, amount=None, probability=None, starred=None, estimated_closing_date=None,
        title=None, status=None, step=None, tags=None, created_at=None,
    )  # fmt: skip

    shown = answer.json()
    assert answer.status_code == 200
    assert (shown["amount"], shown["probability"], shown["starred"]) == (None, None, None)
    assert shown["estimated_closing_date"] is None
    assert (shown["title"], shown["status"], shown["tags"]) == ("Loretta Inc.", "Todo", ["small", "US"])


def test_tags_may_be_taken_away_and_written_with_commas(program, lead):
    assert put(program, lead, tags="b, a").json()["tags"] == ["a", "b"]
    assert put(program, lead, tags=[]).json()["tags"] == []


def test_a_status_is_understood_as_answers_write_it(program, lead):
    assert put(program, lead, status="Won").json()["status"] == "Won"


def test_a_step_goes_by_id_or_name_and_the_lead_s_own_pipeline_first(program, furnished, lead):
    other = PipelineFactory(account=furnished)
    twin = StepFactory(account=furnished, pipeline=other, name="Closing")
    own = Step.objects.get(name="Closing", pipeline=lead.step.pipeline)

    assert put(program, lead, step="Closing").json()["step_id"] == own.pk
    assert put(program, lead, step=twin.pk).json()["step_id"] == twin.pk
    assert put(program, lead, step="Closing").json()["step_id"] == twin.pk
    assert put(program, lead, step=str(own.pk)).json()["step_id"] == own.pk


def test_a_new_lead_s_step_is_the_default_pipeline_s(program, furnished):
    other = PipelineFactory(account=furnished)
    StepFactory(account=furnished, pipeline=other, name="Closing")
    Pipeline.objects.filter(pk=other.pk).update(position=0)

    default = Step.objects.get(name="Closing", pipeline__is_default=True)
    assert made(program, step="Closing").json()["step_id"] == default.pk


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"status": "sold"}, 400, "Parameter status not recognized."),
        ({"status": "standby"}, 400, NO_REMINDER),
        ({"status": "standby", "remind_date": "12/03/2030"}, 400, NO_DATE),
        ({"remind_date": "2030-02-31"}, 400, NO_DATE),
        ({"remind_date": "20300312"}, 400, NO_DATE),
        ({"remind_date": "2030-03-12", "remind_time": "9h"}, 400, NO_DATE),
        ({"remind_date": "2030-03-12", "remind_time": "25:00"}, 400, NO_DATE),
        ({"probability": 50}, 400, NO_AMOUNT),
        ({"step": "Nowhere"}, 404, NOT_FOUND),
        ({"step": 987654321}, 404, NOT_FOUND),
        ({"step": "\u0000"}, 400, "The body holds a NUL character (\\u0000), which no text may"),
        ({"user_id": "nobody@example.com"}, 400, "Parameter user_id not recognized."),
        ({"user_id": ""}, 400, "Parameter user_id not recognized."),
        ({"starred": "maybe"}, 400, "Parameter starred not recognized."),
        ({"reminder_activity_id": 987654321}, 400, "Parameter reminder_activity_id not recognized."),
        ({"created_at": "soon"}, 400, "The date created_at is not formatted properly"),
        (
            {"estimated_closing_date": "soon"},
            400,
            "The date estimated_closing_date is not formatted properly",
        ),
    ],
)
def test_what_cannot_change_is_refused_in_the_document_s_words(program, lead, body, status, message):
    before = Lead.objects.values().get(pk=lead.pk)

    assert told(put(program, lead, **body)) == (status, message)
    assert Lead.objects.values().get(pk=lead.pk) == before


@pytest.mark.parametrize(
    "body",
    [
        {"remind_date": "2030-03-12", "remind_time": "09:10"},
        {"remind_date": "2030-03-12", "remind_time": "09:00", "reminder_duration": 7},
        {"amount": "a lot"},
        {"amount": 5, "probability": 101},
        {"title": 5},
        {"title": "t" * 251},
        {"tags": ["t" * 101]},
    ],
)
def test_a_value_that_no_lead_can_have_changes_nothing(program, lead, body):
    before = Lead.objects.values().get(pk=lead.pk)

    answer = put(program, lead, **body)

    assert answer.status_code in (400, 422)
    assert Lead.objects.values().get(pk=lead.pk) == before


@pytest.mark.parametrize(
    "body",
    [
        {"status": "won"},
        {"step": "In-touch"},
        {"starred": True},
        {"amount": 5},
        {"amount": 5, "probability": 9},
    ],
)
def test_what_is_nobody_s_cannot_move_before_somebody_has_it(program, furnished, stef, body):
    lead = create_lead(furnished, by=stef, title="Nobody's")

    assert told(put(program, lead, **body)) == (400, UNASSIGNED)
    assert put(program, lead, user_id=stef.pk, **body).status_code == 200


def test_whoever_cannot_see_a_lead_cannot_change_it(logged_in, furnished, seller, lead):
    furnished.lead_visibility = "own"
    furnished.save()

    assert told(put(logged_in(seller), lead, title="Mine")) == (404, NOT_FOUND)
    assert told(logged_in(seller).get(f"/api/v2/leads/{lead.pk}")) == (404, NOT_FOUND)


def test_a_lead_is_taken_away_from_its_owner(program, lead):
    assert put(program, lead, user_id=None).json()["user_id"] is None


# --- given away


def test_whoever_is_given_a_lead_is_told_by_mail(program, furnished, lead):
    juliette = UserFactory(account=furnished, email="juliette@example.com")

    answer = sent(program, "POST", f"leads/{lead.pk}/assign", {"user_id": juliette.pk})

    assert (answer.status_code, answer.json()["user_id"]) == (200, juliette.pk)
    assert answer.json()["extended_info"]["user"]["email"] == "juliette@example.com"
    assert [notice.to for notice in Notice.objects.all()] == ["juliette@example.com"]


def test_the_first_administrator_is_told_too_of_what_a_program_gave(program, furnished, stef):
    lead, other = LeadFactory(account=furnished), LeadFactory(account=furnished)

    sent(program, "POST", f"leads/{lead.pk}/assign", {"user_id": stef.pk})
    put(program, other, user_id=stef.pk)
    put(program, other, user_id=stef.pk, title="Given already")

    assert [notice.to for notice in Notice.objects.all()] == ["stef@example.com"] * 2


def test_who_takes_a_lead_needs_no_mail(logged_in, furnished, stef):
    lead = LeadFactory(account=furnished)

    sent(logged_in(stef), "POST", f"leads/{lead.pk}/assign", {"user_id": stef.pk})

    assert not Notice.objects.exists()


def test_a_person_may_pass_a_lead_on(logged_in, furnished, seller, stef):
    lead = LeadFactory(account=furnished, owner=seller)

    answer = sent(logged_in(seller), "POST", f"leads/{lead.pk}/assign", {"user_id": stef.email})

    assert (answer.status_code, answer.json()["user_id"]) == (200, stef.pk)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({}, 422, "Missing required parameter: user_id"),
        ({"user_id": 987654321}, 400, "Parameter user_id not recognized."),
    ],
)
def test_a_lead_is_given_to_somebody_known(program, lead, body, status, message):
    assert told(sent(program, "POST", f"leads/{lead.pk}/assign", body)) == (status, message)


def test_a_lead_is_filed_under_a_client(program, furnished, lead):
    folder = CompanyFactory(account=furnished, name="Blue Corp", is_client=True)

    answer = sent(program, "POST", f"leads/{lead.pk}/add_to_client", {"client_id": folder.pk})

    assert answer.status_code == 200
    assert (answer.json()["client_folder_id"], answer.json()["client_folder_name"]) == (
        folder.pk,
        "Blue Corp",
    )


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [({}, 422, "Missing required parameter: client_id"), ({"client_id": 987654321}, 404, NOT_FOUND)],
)
def test_a_client_folder_must_be_there(program, lead, body, status, message):
    assert told(sent(program, "POST", f"leads/{lead.pk}/add_to_client", body)) == (status, message)


def test_a_lead_is_copied_to_a_step(program, stef, lead):
    update_lead(lead, by=stef, amount=5, status="won")

    answer = sent(program, "POST", f"leads/{lead.pk}/duplicate_lead", {"step": "Closing"})

    copy = answer.json()
    assert answer.status_code == 201
    assert copy["id"] != lead.pk
    assert (copy["title"], copy["description"], copy["tags"]) == ("Loretta Inc.", NATALIA, ["small", "US"])
    assert (copy["status"], copy["step"], copy["user_id"]) == ("Todo", "Closing", stef.pk)


def test_a_copy_stands_where_its_original_does_and_never_nowhere(program, stef, lead):
    assign_lead(lead, stef, by=stef)
    update_lead(lead, by=stef, step=Step.objects.get(name="In-touch"))

    path = f"leads/{lead.pk}/duplicate_lead"
    assert sent(program, "POST", path, {}).json()["step"] == "In-touch"
    assert told(sent(program, "POST", path, {"step": "Nowhere"})) == (404, NOT_FOUND)


# --- deleted


def test_a_deleted_lead_is_gone(program, lead):
    answer = program.delete(f"/api/v2/leads/{lead.pk}")

    assert (answer.status_code, answer.json()) == (200, {"id": lead.pk})
    assert told(program.get(f"/api/v2/leads/{lead.pk}")) == (404, NOT_FOUND)
    assert told(program.delete(f"/api/v2/leads/{lead.pk}")) == (404, NOT_FOUND)


def test_of_many_leads_those_that_stay_are_told(program, furnished, lead):
    other, gone = LeadFactory(account=furnished), LeadFactory(account=furnished)
    program.delete(f"/api/v2/leads/{gone.pk}")

    answer = sent(
        program, "DELETE", "leads/delete_multiple", {"ids": f"{lead.pk},{gone.pk}, {other.pk},987654321"}
    )

    assert answer.status_code == 200
    assert answer.json() == [gone.pk, 987654321]
    assert not Lead.objects.alive().exists()


def test_ids_may_stand_in_the_query_or_in_a_list(program, furnished):
    first, second = LeadFactory(account=furnished), LeadFactory(account=furnished)

    assert program.delete(f"/api/v2/leads/delete_multiple?ids={first.pk}").json() == []
    assert sent(program, "DELETE", "leads/delete_multiple", {"ids": [second.pk]}).json() == []
    assert not Lead.objects.alive().exists()


def test_what_a_person_cannot_see_stays(logged_in, furnished, seller, lead):
    own = LeadFactory(account=furnished, owner=seller)
    furnished.lead_visibility = "own"
    furnished.save()

    answer = sent(logged_in(seller), "DELETE", "leads/delete_multiple", {"ids": f"{lead.pk},{own.pk}"})

    assert answer.json() == [lead.pk]
    assert list(Lead.objects.alive()) == [lead]


@pytest.mark.parametrize(
    ("ids", "status"), [("", 422), ("1,x", 400), (",".join(str(number) for number in range(1, 1002)), 422)]
)
def test_ids_that_cannot_be_meant_delete_nothing(program, lead, ids, status):
    assert sent(program, "DELETE", "leads/delete_multiple", {"ids": ids}).status_code == status
    assert Lead.objects.alive().count() == 1
