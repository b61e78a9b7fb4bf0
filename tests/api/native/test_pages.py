"""Lists: keyset pages, orders, totals, filters and search."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.contacts import create_contact
from crm.models import Contact, Lead
from tests.factories import CompanyFactory, ContactFactory, LeadFactory, StepFactory, TagFactory

START = datetime(2030, 1, 1, tzinfo=UTC)


def names(answer) -> list[str]:
    return [row["last_name"] for row in answer.json()["data"]]


def refusal(answer) -> dict:
    assert answer.status_code == 422, answer.content
    return answer.json()["error"]["details"]


def every_page(native, url: str) -> list[dict]:
    rows, cursor = [], ""
    for _ in range(50):
        answer = native.get(f"{url}&cursor={cursor}").json()
        rows += answer["data"]
        cursor = answer["pagination"]["next_cursor"]
        assert answer["pagination"]["has_more"] is (cursor is not None)
        if cursor is None:
            return rows
    raise AssertionError("the pages do not end")


def test_a_list_begins_with_the_newest_and_counts_nothing(native, account):
    for number in range(3):
        ContactFactory(account=account, last_name=str(number))

    answer = native.get("/api/contacts?limit=2")

    assert names(answer) == ["2", "1"]
    assert answer.json()["pagination"].keys() == {"limit", "next_cursor", "has_more"}


def test_rows_added_while_paging_are_neither_doubled_nor_in_the_way(native, account):
    for number in range(4):
        ContactFactory(account=account, last_name=str(number))
    first = native.get("/api/contacts?limit=2")
    ContactFactory(account=account, last_name="new")

    second = native.get(f"/api/contacts?limit=2&cursor={first.json()['pagination']['next_cursor']}")

    assert names(first) + names(second) == ["3", "2", "1", "0"]


@pytest.mark.parametrize("order", ["created_at", "-created_at", "last_name", "-last_name", "id", "-id"])
def test_every_order_visits_every_row_once_ties_included(native, account, order):
    for number in range(7):
        contact = ContactFactory(account=account, last_name="same" if number % 2 else str(number))
        Contact.objects.filter(pk=contact.pk).update(created_at=START + timedelta(days=number // 3))

    rows = every_page(native, f"/api/contacts?limit=2&order={order}")

    everything = native.get(f"/api/contacts?limit=100&order={order}").json()["data"]
    assert rows == everything
    assert len({row["id"] for row in rows}) == 7
    column = order.removeprefix("-")
    uids = [str(uid) for uid in Contact.objects.order_by("pk").values_list("uid", flat=True)]
    values = [uids.index(row["id"]) if column == "id" else row[column] for row in rows]
    assert values == sorted(values, reverse=order.startswith("-"))


@pytest.mark.parametrize("order", ["amount", "-amount"])
def test_rows_without_a_value_come_last_either_way(native, account, order):
    step = StepFactory(account=account)
    for amount in (None, 5, 1, None, 3):
        LeadFactory(account=account, step=step, amount=amount)

    rows = every_page(native, f"/api/leads?limit=2&order={order}")

    amounts = [row["amount"] for row in rows]
    expected = ["1.00", "3.00", "5.00"]
    assert amounts == [*(expected[::-1] if order == "-amount" else expected), None, None]


def test_pages_by_number_and_a_total_are_given_to_those_who_ask(native, account):
    for number in range(5):
        ContactFactory(account=account, last_name=str(number))

    answer = native.get("/api/contacts?limit=2&page=2&include=total")

    assert names(answer) == ["2", "1"]
    assert answer.json()["pagination"]["page"] == 2
    assert answer.json()["pagination"]["total"] == 5


def test_nonsense_is_refused_by_name(native):
    assert refusal(native.get("/api/contacts?limit=0")) == {
        "limit": ["'0' is not a whole number from 1 to 100"]
    }
    assert "limit" in refusal(native.get("/api/contacts?limit=101"))
    assert "page" in refusal(native.get("/api/contacts?page=x"))
    assert "page" in refusal(native.get("/api/contacts?page=5000"))
    assert "cursor" in refusal(native.get("/api/contacts?cursor=%F0"))
    assert "cursor" in refusal(native.get("/api/contacts?cursor=WyItaWQiXQ"))
    assert "order" in refusal(native.get("/api/contacts?order=password"))
    assert "include" in refusal(native.get("/api/contacts?include=everything"))
    assert "company" in refusal(native.get("/api/contacts?company=acme"))
    assert "starred" in refusal(native.get("/api/leads?starred=perhaps"))
    assert "created_after" in refusal(native.get("/api/leads?created_after=yesterday"))


def test_a_cursor_of_another_order_is_refused(native, account):
    ContactFactory.create_batch(2, account=account)
    cursor = native.get("/api/contacts?limit=1").json()["pagination"]["next_cursor"]

    answer = native.get(f"/api/contacts?limit=1&order=last_name&cursor={cursor}")

    assert refusal(answer) == {"cursor": ["was given for order=-id; the order cannot change between pages"]}


def test_filters_narrow_and_combine(native, account):
    acme = CompanyFactory(account=account)
    tagged = ContactFactory(account=account, company=acme, last_name="both")
    tagged.tags.add(TagFactory(account=account, name="Hot"))
    ContactFactory(account=account, company=acme, last_name="company only")

    answer = native.get(f"/api/contacts?company={acme.uid}&tag=hot&status=active,bounced")

    assert names(answer) == ["both"]


def test_moments_limit_half_open(native, account):
    for day in range(3):
        contact = ContactFactory(account=account, last_name=str(day))
        Contact.objects.filter(pk=contact.pk).update(created_at=START + timedelta(days=day))

    answer = native.get(
        "/api/contacts?created_after=2030-01-02T00:00:00Z&created_before=2030-01-03T00:00:00Z"
    )

    assert names(answer) == ["1"]


def test_search_finds_by_the_beginnings_of_words(native, account, user):
    create_contact(account, by=user, first_name="Grace", last_name="Hopper", email="grace@navy.mil")
    create_contact(account, by=user, first_name="Ada", last_name="Lovelace", email="ada@example.com")

    assert names(native.get("/api/contacts?search=hop grac")) == ["Hopper"]
    assert names(native.get("/api/contacts?search=nobody")) == []


@pytest.mark.parametrize("path", ["contacts", "leads"])
def test_a_hundred_rows_take_as_many_queries_as_one(native, account, path, django_assert_num_queries):
    step = StepFactory(account=account)

    def add(count):
        for _ in range(count):
            contact = ContactFactory(account=account, company=CompanyFactory(account=account))
            contact.tags.add(TagFactory(account=account))
            LeadFactory(account=account, step=step, contact=contact)

    add(1)
    native.get(f"/api/{path}")  # the key's last use is written once a minute
    queries = 4  # the key, the limit, the ids, the rows with their lists
    with django_assert_num_queries(queries):
        one = native.get(f"/api/{path}?limit=100")
    add(99)

    with django_assert_num_queries(queries):
        hundred = native.get(f"/api/{path}?limit=100")

    assert (len(one.json()["data"]), len(hundred.json()["data"])) == (1, 100)
    assert Lead.objects.count() == 100
