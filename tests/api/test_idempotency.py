"""A POST with an Idempotency-Key happens once."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from crm.models import Contact
from pipelime.accounts.keys import create_key
from pipelime.api import idempotency
from pipelime.api.models import IdempotentAnswer, RateWindow
from pipelime.api.native import contacts
from pipelime.events.models import Event
from pipelime.scope import account_scope
from tests.api.dialects import DIALECTS
from tests.factories import AccountFactory
from tests.threads import all_at_once

[NATIVE] = [dialect for dialect in DIALECTS.values() if dialect.name == "native"]
BODY = {"email": "ada@example.com", "first_name": "Ada"}


def post(client, body=BODY, key="order-66", path="/api/contacts"):
    return client.post(path, body, format="json", headers={"Idempotency-Key": key})


def test_the_same_request_is_answered_the_same_and_done_once(native):
    first = post(native)

    again = post(native, {"first_name": "Ada", "email": "ada@example.com"})

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert Contact.objects.count() == 1
    assert Event.objects.filter(name="contact.created").count() == 1


def test_another_body_under_the_same_key_is_refused(native):
    post(native)

    answer = post(native, {"email": "grace@example.com"})

    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["error"]["details"]
    assert Contact.objects.count() == 1


def test_another_key_of_the_account_and_another_path_have_answers_of_their_own(native, account, user):
    other = NATIVE.client(create_key(account, name="other", scopes=["*"], by=user)[1])
    post(native)

    answer = post(other)
    company = post(native, {"name": "Acme"}, path="/api/companies")

    assert answer.status_code == 409
    assert company.status_code == 201


def test_a_refusal_is_remembered_and_what_it_did_is_undone(native):
    body = {"email": "no address", "company": "Made before the fault was found"}

    first = post(native, body)
    again = post(native, body)

    assert (first.status_code, again.status_code) == (422, 422)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Event.objects.filter(name="company.created").count() == 0


def test_what_broke_is_not_remembered(native, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(contacts, "create_contact", lambda *args, **kwargs: 1 / 0)
        broken = post(native)

    answer = post(native)

    assert broken.status_code == 500
    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer.headers


def test_a_key_is_forgotten_after_a_day(native):
    with time_machine.travel(timezone.now() - timedelta(hours=25)):
        post(native)

    answer = post(native)

    assert answer.status_code == 409
    assert "Idempotency-Replayed" not in answer.headers


def test_the_stored_answer_is_encrypted(native):
    post(native)

    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM api_idempotentanswer")
        [stored] = cursor.fetchone()

    assert stored.startswith("v1.test.")
    assert IdempotentAnswer.objects.get().body.startswith('{"id":')


def test_a_key_that_no_header_should_hold_is_refused(native):
    answer = post(native, key="x" * 256)

    assert answer.status_code == 422
    assert Contact.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_at_once_have_one_effect():
    account = AccountFactory()
    with account_scope(account):
        raw = create_key(account, name="tests", scopes=["*"], by=None)[1]

    answers = all_at_once([lambda: post(NATIVE.client(raw)).status_code] * 2)

    with account_scope(account):
        assert Contact.objects.count() == 1
    assert sorted(answers) in ([201, 201], [201, 409])


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's second writer waits instead")
def test_while_the_first_is_running_the_second_is_told_to_wait(monkeypatch):
    account = AccountFactory()
    with account_scope(account):
        raw = create_key(account, name="tests", scopes=["*"], by=None)[1]
    running, told = threading.Event(), threading.Event()
    make = contacts.create_contact

    def slow(*args, **kwargs):
        running.set()
        told.wait(10)
        return make(*args, **kwargs)

    monkeypatch.setattr(contacts, "create_contact", slow)
    answers = []
    thread = threading.Thread(
        target=lambda: (answers.append(post(NATIVE.client(raw))), connections.close_all())
    )
    thread.start()
    running.wait(10)
    second = post(NATIVE.client(raw))
    told.set()
    thread.join()

    assert second.status_code == 409
    assert second.json()["error"]["code"] == "CONFLICT"
    assert answers[0].status_code == 201


def test_pruning_forgets_old_answers_and_counters_only(native, account, monkeypatch):
    monkeypatch.setattr(idempotency, "BATCH", 2)
    for number in range(5):
        post(native, {"email": f"a{number}@example.com"}, key=f"key-{number}")
    newest = IdempotentAnswer.objects.order_by("pk").last()
    day_ago = timezone.now() - timedelta(hours=25)
    IdempotentAnswer.objects.exclude(pk=newest.pk).update(created_at=day_ago)
    RateWindow.objects.create(key="old", window=1)

    gone = idempotency.prune()

    assert gone == {"idempotent_answers": 4, "rate_windows": 1}
    assert list(IdempotentAnswer.objects.all()) == [newest]


def test_the_command_says_what_it_deleted(db, capsys):
    with transaction.atomic():
        call_command("prune_idempotency")

    assert "idempotent answers: 0 deleted" in capsys.readouterr().out
