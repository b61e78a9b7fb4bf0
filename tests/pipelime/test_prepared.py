"""Reads by id whose SQL is made once."""

from decimal import Decimal

import orjson

from crm.models import Contact, ContactEmail, Lead
from pipelime.prepared import Prepared, read
from tests.factories import CompanyFactory, ContactFactory, LeadFactory

COLUMNS = ("uid", "created_at", "custom_fields", "company__name")


def as_json(values: list) -> list:
    return orjson.loads(orjson.dumps(values, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC))


def test_values_are_as_json_wants_them(account):
    company = CompanyFactory(account=account, name="Acme")
    contact = ContactFactory(account=account, company=company, custom_fields={"size": 42})

    [[pk, *values]] = Prepared(Contact, "pk", COLUMNS).rows([contact.pk])

    moment = contact.created_at.isoformat().replace("+00:00", "Z")
    assert pk == contact.pk
    assert as_json(values) == [str(contact.uid), moment, {"size": 42}, "Acme"]


def test_typed_columns_keep_python_s_own_types(account):
    contact = ContactFactory(account=account)

    [[_, *values]] = Prepared(Contact, "pk", COLUMNS, typed=range(4)).rows([contact.pk])

    assert values == [contact.uid, contact.created_at, {}, None]


def test_moments_keep_six_digits_whatever_the_last_ones_are(account):
    contact = ContactFactory(account=account)
    prepared = Prepared(Contact, "pk", ["created_at"])
    seen = []
    for microsecond in (0, 100_000, 123_450, 123_456):
        moment = contact.created_at.replace(microsecond=microsecond)
        Contact.objects.filter(pk=contact.pk).update(created_at=moment)
        [[_, value]] = prepared.rows([contact.pk])
        seen.append((as_json([value])[0], moment.isoformat().replace("+00:00", "Z")))

    assert [written for written, _ in seen] == [expected for _, expected in seen]


def test_parts_come_by_the_row_that_they_belong_to(account):
    contacts = ContactFactory.create_batch(3, account=account)

    rows = Prepared(ContactEmail, "contact", ["address"]).rows([contacts[0].pk, contacts[2].pk])

    assert sorted(map(tuple, rows)) == [
        (contacts[0].pk, contacts[0].email),
        (contacts[2].pk, contacts[2].email),
    ]


def test_nothing_is_asked_for_no_ids(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        assert Prepared(Contact, "pk", COLUMNS).rows([]) == []


def test_the_sql_is_made_once(account, django_assert_num_queries, monkeypatch):
    prepared = Prepared(Contact, "pk", COLUMNS)
    first, second = ContactFactory.create_batch(2, account=account)
    prepared.rows([first.pk])
    monkeypatch.setattr(Prepared, "compiler", None)

    with django_assert_num_queries(1):
        rows = prepared.rows([second.pk])

    assert rows[0][0] == second.pk


def test_several_reads_for_the_same_ids_are_one_query(account, django_assert_num_queries):
    contact = ContactFactory(account=account, custom_fields={"size": 42})
    plain = Prepared(Contact, "pk", COLUMNS)
    typed = Prepared(Contact, "pk", COLUMNS, typed=range(4))
    emails = Prepared(ContactEmail, "contact", ["address", "is_primary"])

    with django_assert_num_queries(1):
        together = read([plain, typed, emails], [contact.pk])

    assert together[1] == [[contact.pk, contact.uid, contact.created_at, {"size": 42}, None]]
    assert [as_json(row) for row in together[0]] == [as_json(row) for row in plain.rows([contact.pk])]
    assert together[2] == [[contact.pk, contact.email, True]]


def test_exact_amounts_stay_exact(account):
    lead = LeadFactory(account=account, amount=Decimal("12.50"))

    [[[_, amount]]] = read([Prepared(Lead, "pk", ["amount"])], [lead.pk])
    [[[_, typed]]] = read([Prepared(Lead, "pk", ["amount"], typed=[0])], [lead.pk])

    assert str(amount) == "12.50"
    assert typed == Decimal("12.50")
