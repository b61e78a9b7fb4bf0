"""Prospecting lists and their rows on the pages of the workspace."""

from __future__ import annotations

import pytest

from crm.models import Activity, Comment, Lead, Prospect, ProspectingList
from pipelime.events.models import Event
from tests import factories
from tests.backoffice.rows import address

COLUMNS = ["Company", "Email", "Phone"]
NO_PARTS = {"comments-TOTAL_FORMS": 0, "comments-INITIAL_FORMS": 0,
            "prospects-TOTAL_FORMS": 0, "prospects-INITIAL_FORMS": 0}  # fmt: skip


@pytest.fixture
def sheet(account, user) -> ProspectingList:
    return factories.ProspectingListFactory(account=account, title="Fair", columns=COLUMNS, owner=user)


@pytest.fixture
def prospect(account, sheet) -> Prospect:
    cells = ["Loretta Inc.", "loretta@example.com", "+33 1 23 45 67 89"]
    return factories.ProspectFactory(account=account, prospecting_list=sheet, content=cells)


def test_a_list_is_made_with_a_column_a_line(browser, user):
    browser.post(
        address(ProspectingList, "add"),
        {"title": "Fair", "columns": "Company\n\n Email \nPhone", "privacy": "default", "owner": user.pk,
         "tags": "fair"},
    )  # fmt: skip

    made = ProspectingList.objects.get()
    assert (made.title, made.columns, made.owner) == ("Fair", COLUMNS, user)
    assert [tag.name for tag in made.tags.all()] == ["fair"]


def test_a_list_without_columns_is_refused_at_their_field(browser):
    answer = browser.post(address(ProspectingList, "add"), {"title": "Fair", "privacy": "default"})

    assert list(answer.context["adminform"].form.errors) == ["columns"]
    assert not ProspectingList.objects.exists()


def test_a_list_is_renamed_and_commented_on(browser, sheet, user):
    browser.post(
        address(ProspectingList, "change", sheet.pk),
        {"title": "Spring fair", "privacy": "default", "owner": user.pk, **NO_PARTS,
         "comments-TOTAL_FORMS": 1, "comments-0-content": "From the fair"},
    )  # fmt: skip

    sheet.refresh_from_db()
    assert sheet.title == "Spring fair"
    assert Comment.objects.get().prospecting_list == sheet


def test_lists_that_were_put_away_are_out_of_the_way(browser, sheet):
    browser.post(address(ProspectingList, "press", sheet.pk, "archive"))

    in_use = browser.get(address(ProspectingList, "changelist")).context["cl"].result_list
    put_away = browser.get(address(ProspectingList, "changelist"), {"archived": "yes"}).context["cl"]

    assert list(in_use) == []
    assert list(put_away.result_list) == [sheet]


def test_the_page_of_a_list_shows_its_rows(browser, sheet, prospect):
    page = browser.get(address(ProspectingList, "change", sheet.pk))

    assert f'href="{address(Prospect, "change", prospect.pk)}">Loretta Inc.</a>'.encode() in page.content
    assert b"loretta@example.com" in page.content
    assert f"{address(Prospect, 'add')}?prospecting_list={sheet.pk}".encode() in page.content


def test_a_row_is_added_with_a_field_a_column(browser, sheet):
    path = f"{address(Prospect, 'add')}?prospecting_list={sheet.pk}"
    page = browser.get(path)
    browser.post(path, {"cell__0": "Loretta Inc.", "cell__2": "+33 1"})

    labels = [field.label for field in page.context["adminform"].form]
    assert labels == COLUMNS
    assert Prospect.objects.get().content == ["Loretta Inc.", "", "+33 1"]


def test_a_blank_row_is_refused(browser, sheet):
    answer = browser.post(f"{address(Prospect, 'add')}?prospecting_list={sheet.pk}", {"cell__0": " "})

    assert answer.context["adminform"].form.non_field_errors() == [
        "The row is blank; fill in a cell at least"
    ]
    assert not Prospect.objects.exists()


@pytest.mark.parametrize("number", ["", "x", "99999999999999999999"])
def test_a_row_of_no_list_is_not_added(browser, number):
    answer = browser.get(f"{address(Prospect, 'add')}?prospecting_list={number}")

    assert answer.status_code == 302
    assert answer.url == address(ProspectingList, "changelist")


def test_a_row_of_another_account_s_list_is_not_added(browser, stranger):
    foreign = factories.ProspectingListFactory(account=stranger.account)

    answer = browser.post(f"{address(Prospect, 'add')}?prospecting_list={foreign.pk}", {"cell__0": "Mine"})

    assert answer.status_code == 302
    assert not Prospect._base_manager.exists()


def test_only_the_changed_cell_of_a_row_changes(browser, prospect):
    browser.post(
        address(Prospect, "change", prospect.pk),
        {"cell__0": "Loretta SA", "cell__1": "loretta@example.com", "cell__2": "+33 1 23 45 67 89",
         "is_active": "on", "comments-TOTAL_FORMS": 0, "comments-INITIAL_FORMS": 0},
    )  # fmt: skip

    prospect.refresh_from_db()
    assert prospect.content == ["Loretta SA", "loretta@example.com", "+33 1 23 45 67 89"]
    assert Event.objects.get(name="prospect.updated").data["changes"].keys() == {"content"}


def test_a_row_becomes_a_lead_of_whoever_pressed(browser, account, user, prospect):
    factories.StepFactory(
        account=account, pipeline=factories.PipelineFactory(account=account, is_default=True)
    )

    answer = browser.post(address(Prospect, "press", prospect.pk, "lead"))

    lead = Lead.objects.get()
    assert answer.url == address(Lead, "change", lead.pk)
    assert (lead.title, lead.owner, lead.created_from) == ("Loretta Inc.", user, "workspace")


def test_a_call_is_asked_for_and_noted(browser, account, prospect):
    call = factories.ActivityTypeFactory(account=account, name="Call", kind="call")
    factories.ActivityTypeFactory(account=account, name="No answer", kind="call", parent=call)
    path = address(Prospect, "press", prospect.pk, "call")

    asked = browser.post(path)
    wrong = browser.post(path, {"phone": "nobody"})
    noted = browser.post(path, {"phone": "+33 1 23 45 67 89", "outcome": "No answer", "note": "Later"})

    activity = Activity.objects.get()
    assert asked.context["form"].initial == {"phone": "+33 1 23 45 67 89"}
    assert list(wrong.context["form"].errors) == ["phone"]
    assert noted.url == address(Prospect, "change", prospect.pk)
    assert (activity.prospect, activity.outcome, activity.note) == (prospect, "No answer", "Later")


def test_without_a_type_of_calls_the_page_says_what_to_do(browser, prospect):
    answer = browser.post(address(Prospect, "press", prospect.pk, "call"), follow=True)

    assert b"no activity type of the kind call" in answer.content
    assert not Activity.objects.exists()


def test_a_short_address_leads_to_the_list(browser, sheet):
    answer = browser.get(f"/spreadsheets/{sheet.pk}")

    assert answer.url == address(ProspectingList, "change", sheet.pk)
