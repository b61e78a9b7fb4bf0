"""Finding rows by the beginnings of words, inside one account, whatever people type."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelime.scope import ScopeMissing, account_scope, every_account
from pipelime.search import documents
from pipelime.search.models import Document, IndexJob
from tests.factories import AccountFactory


def store(account, **texts: str) -> None:
    """`store(account, n1="…")` stores the text of contact 1."""
    documents.store("contact", account.pk, [(int(key[1:]), text) for key, text in texts.items()])


def find(question: str) -> list[int]:
    return documents.find("contact", question)


@pytest.mark.parametrize(
    "question",
    [
        "grace",
        "GRA",
        "hop gra",
        "grace.hopper@navy.example",
        "grace.hopper@na",
        "navy.example",
        "navy",
        "rear-adm",
        "admiral",
        "müller",
        "MULL",
        "acme berlin",
        "acme/ber",
        "o'brien",
    ],
)
def test_a_row_is_found_by_the_beginning_of_every_word(question, account):
    store(
        account,
        n1="Grace Hopper grace.hopper@navy.example Navy Rear-Admiral Müller ACME/Berlin O'Brien",
        n2="Ada",
    )

    assert find(question) == [1]


@pytest.mark.parametrize("question", ["grace ada", "race", "opper", "grace.x", "hopper@navy", "hop-gra"])
def test_a_row_that_lacks_one_of_the_words_is_not_found(question, account):
    store(account, n1="Grace Hopper grace.hopper@navy.example")

    assert find(question) == []


def test_the_newest_row_comes_first_up_to_the_limit(account):
    store(account, n1="Ada", n2="Ada", n3="Ada")

    assert find("ada") == [3, 2, 1]
    assert documents.find("contact", "ada", limit=2) == [3, 2]


def test_an_exact_address_comes_before_longer_ones(account):
    store(account, n1="ada@shop.example", n2="ada@shop.example.org", n3="ada@shop.example-two.org")

    assert find("ADA@shop.example") == [1, 3, 2]
    assert find("ada@shop.example ") == [1, 3, 2]
    assert documents.find("contact", "ada@shop.example", limit=1) == [1]


def test_a_kind_of_its_own_is_searched(account):
    store(account, n1="Ada")
    documents.store("lead", account.pk, [(1, "Ada")])
    documents.remove("contact", [1])

    assert find("ada") == []
    assert documents.find("lead", "ada") == [1]


def test_accounts_find_their_own_rows_only(account):
    other = AccountFactory()
    with account_scope(other):
        documents.store("contact", other.pk, [(1, f"Ada acct{account.pk}"), (3, "Ada")])
    store(account, n2=f"Ada acct{other.pk}")

    assert find("ada") == [2]
    with account_scope(other):
        assert find("ada") == [3, 1]
        assert find(f"acct{account.pk}") == [1]


def test_without_an_account_nothing_is_found(account):
    store(account, n1="Ada")

    with every_account():
        assert find("ada") == []


def test_search_outside_a_scope_is_an_error(db):
    with pytest.raises(ScopeMissing):
        find("ada")


def test_a_new_text_replaces_the_old_one(account):
    store(account, n1="Ada")

    store(account, n1="Grace")

    assert find("ada") == []
    assert find("grace") == [1]
    assert Document.objects.count() == 1


def test_the_last_of_two_texts_for_one_row_wins(account):
    documents.store("contact", account.pk, [(1, "Ada"), (1, "Grace")])

    assert (find("ada"), find("grace")) == ([], [1])


def test_a_removed_row_is_not_found_and_leaves_nothing_behind(account):
    store(account, n1="Ada", n2="Ada")

    documents.remove("contact", [1])

    assert find("ada") == [2]
    assert Document.objects.count() == 1
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM search_words")
            assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("count", [3, 50])
def test_rows_added_in_bulk_are_found(count, account):
    documents.add("contact", account.pk, [(n, f"Ada number{n}") for n in range(1, count + 1)])

    assert find("ada number2")[-1] == 2
    assert len(find("ada")) == count


@pytest.mark.parametrize(
    "question",
    [
        "'", "''", '"', '""', "ada'", 'ada"', "ada*", "ada:*", ":*", "*", "&", "ada & | !", "!ada", "(ada",
        "ada)", "ada <-> grace", "ada AND", "NOT ada", "OR", "NEAR(ada grace)", "NEAR", "text:ada", "^ada",
        "{text}:ada", "-ada", "+ada", "ada\x00grace", "\x00", "\\", "ada\\", "%", "_", "%s", "%(x)s",
        "'; DROP TABLE x; --",
        "\ud800", "🍋", "a\u0301", "@", "@@", "a@", "@a", ".", "…", " ", "", "\n", "ada\u200bgrace", "ﷺ",
    ],
)  # fmt: skip
def test_no_question_breaks_the_search(question, account):
    store(account, n1="Ada")

    assert find(question) in ([], [1])


def test_a_question_of_ten_kilobytes_is_answered(account):
    store(account, n1="Ada")

    assert find("ada " * 2500) == [1]
    assert find("x" * 10_000) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(question=st.text(max_size=60))
def test_whatever_is_stored_can_be_asked_for(question, account):
    documents.store("contact", account.pk, [(1, question)])

    expected = [1] if documents.words_of(question) else []
    assert find(question) == expected


def test_a_bulk_change_leaves_one_job_for_each_thousand(account, bells):
    documents.later("contact", account.pk, range(1, 2502))

    assert [len(job.ids) for job in IndexJob.objects.order_by("pk")] == [1000, 1000, 501]


@pytest.mark.django_db(transaction=True)
def test_two_writers_of_the_same_documents_leave_one_of_each():
    account, begin, failures = AccountFactory(), threading.Barrier(2), []

    def work(name: str, order: int) -> None:
        try:
            for _ in range(10):
                begin.wait()
                with account_scope(account), transaction.atomic():
                    documents.store("contact", account.pk, [(n, name) for n in range(1, 21)][::order])
        except Exception as error:  # noqa: BLE001  asserted below
            failures.append(error)
            begin.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=args) for args in (("ada", 1), ("grace", -1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with account_scope(account):
        assert Document.objects.count() == 20
        assert sorted(find("ada") + find("grace")) == list(range(1, 21))
