"""Totals of lists: exact while that is cheap, remembered when it is not."""

from __future__ import annotations

from crm.models import Lead, Tag
from pipelime.api import totals
from pipelime.scope import account_scope
from tests import factories


def tags(account, count):
    factories.TagFactory.create_batch(count, account=account)


def test_a_short_list_is_counted_each_time(account, django_assert_num_queries):
    tags(account, 3)
    assert totals.total_of(Tag.objects.all()) == 3

    tags(account, 1)

    with django_assert_num_queries(1):
        assert totals.total_of(Tag.objects.order_by("name")) == 4


def test_a_long_list_is_counted_once_in_a_while(account, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(totals, "COUNTED_ANEW", 2)
    tags(account, 3)
    assert totals.total_of(Tag.objects.all()) == 3

    tags(account, 1)

    with django_assert_num_queries(1):
        assert totals.total_of(Tag.objects.all()) == 3


def test_another_filter_has_a_total_of_its_own(account, monkeypatch):
    monkeypatch.setattr(totals, "COUNTED_ANEW", 1)
    tags(account, 3)
    factories.TagFactory(account=account, position=1)
    factories.TagFactory(account=account, position=1)

    assert totals.total_of(Tag.objects.all()) == 5
    assert totals.total_of(Tag.objects.filter(position=1)) == 2


def test_another_account_has_a_total_of_its_own(account, monkeypatch):
    monkeypatch.setattr(totals, "COUNTED_ANEW", 1)
    other = factories.AccountFactory()
    tags(account, 3)
    tags(other, 2)
    rows = Tag.objects.all()

    with account_scope(account):
        assert totals.total_of(rows) == 3
    with account_scope(other):
        assert totals.total_of(rows) == 2
        assert totals.total_of(Lead.objects.all()) == 0
