"""What load balancers and Prometheus are told, and who may be told."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test import RequestFactory
from django.utils import timezone

from outreach.models import Message
from pipelime import health
from pipelime.accounts.models import Account, Notice
from tests.factories import AccountFactory, DeliveryFactory, EndpointFactory, MailboxFactory, MessageFactory


@pytest.fixture
def no_database(monkeypatch):
    def fail(*args, **kwargs):
        raise DatabaseError("gone")

    monkeypatch.setattr(connection, "cursor", fail)


@pytest.fixture(autouse=True)
def file_broker(settings):
    settings.BROKER_URL = ""


@pytest.fixture
def now():
    return timezone.now()


def test_healthz_answers_without_a_database(client):
    answer = client.get("/healthz", HTTP_HOST="any.host.example")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_readyz_says_that_everything_answers(client):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "database": "ok", "broker": "ok", "oldest_due_seconds": 0, "sending": "open"},
    )


@pytest.mark.django_db
def test_readyz_fails_without_the_database(client, no_database):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (
        503,
        {"status": "unready", "database": "DatabaseError", "broker": "ok"},
    )


@pytest.mark.django_db
def test_readyz_fails_without_the_broker(client, settings):
    settings.BROKER_URL = "redis://127.0.0.1:1/0"

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unready",
        "database": "ok",
        "broker": "OperationalError",
        "oldest_due_seconds": 0,
        "sending": "open",
    }


@pytest.mark.django_db
def test_readyz_fails_when_the_file_broker_has_no_folder(client, settings, tmp_path):
    settings.DATA = tmp_path

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["broker"]) == (503, "unwritable")


def test_readyz_tells_the_age_of_the_oldest_due_row(client, account, now):
    Notice.objects.create(account=account, to="a@b.example", subject="x", due_at=now - timedelta(minutes=7))
    Notice.objects.create(account=account, to="a@b.example", subject="x", due_at=now + timedelta(minutes=7))

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert 420 <= answer.json()["oldest_due_seconds"] < 425


def age_of(name: str) -> tuple[int, int]:
    return next((rows, round(age)) for ledger, rows, age in health.queues() if ledger == name)


def test_every_ledger_is_looked_at(account):
    assert {name for name, _, _ in health.queues()} == {
        "delivery",
        "importjob",
        "indexjob",
        "message",
        "notice",
        "receivedmail",
    }


def test_what_is_due_is_counted_by_ledger(account, now):
    DeliveryFactory(account=account, due_at=now - timedelta(seconds=60))
    DeliveryFactory(account=account, due_at=now - timedelta(seconds=30))
    DeliveryFactory(account=account, due_at=now + timedelta(seconds=90))
    DeliveryFactory(account=account, due_at=now - timedelta(days=1), state="done")

    assert age_of("delivery") == (2, 60)
    assert age_of("message") == (0, 0)


def test_a_row_that_nobody_may_act_on_is_not_late(account, now):
    past = now - timedelta(hours=1)
    MessageFactory(account=account, due_at=past, mailbox=MailboxFactory(account=account, paused_at=past))
    MessageFactory(account=account, due_at=past, mailbox=MailboxFactory(account=account, deleted_at=past))
    DeliveryFactory(account=account, due_at=past, endpoint=EndpointFactory(account=account, disabled_at=past))
    suspended = AccountFactory(suspended_at=past)
    MessageFactory(account=suspended, due_at=past)
    DeliveryFactory(account=suspended, due_at=past)

    assert [name for name, _, age in health.queues() if age] == []

    Message.objects.create(
        account=account, mailbox=MailboxFactory(account=account), due_at=past, step_number=1,
        to_address="a@b.example", from_address="c@d.example", message_id="<late@d.example>",
    )  # fmt: skip
    assert age_of("message")[1] == 3600
    Account.objects.update(suspended_at=None)
    assert age_of("delivery")[1] == 3600


def metrics(settings, peer: str = "127.0.0.1", **headers):
    return health.metrics(RequestFactory().get("/metrics", REMOTE_ADDR=peer, **headers))


def test_metrics_are_prometheus_text(account, settings, now):
    DeliveryFactory(account=account, due_at=now - timedelta(seconds=50))
    MessageFactory(account=account, state="ambiguous")

    answer = metrics(settings)

    lines = answer.content.decode().splitlines()
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert 'pipelime_due_rows{ledger="delivery"} 1.0' in lines
    assert 'pipelime_rows{ledger="message",state="ambiguous"} 1.0' in lines
    assert 'pipelime_rows{ledger="message",state="sending"} 0.0' in lines
    [age] = [line for line in lines if line.startswith('pipelime_oldest_due_seconds{ledger="delivery"}')]
    assert re.fullmatch(r".* 5\d\.\d+", age)


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.8.9.10", "10.1.2.3", "192.0.2.7", ""]
)
def test_metrics_are_served_to_this_machine_and_to_whom_the_operator_allows(peer, db, settings):
    settings.METRICS_ALLOW = ["10.0.0.0/8", "192.0.2.7"]

    assert metrics(settings, peer).status_code == 200


@pytest.mark.parametrize("peer", ["11.1.2.3", "192.0.2.8", "2001:db8::1"])
def test_metrics_are_refused_to_others(peer, db, settings):
    settings.METRICS_ALLOW = ["10.0.0.0/8", "192.0.2.7"]

    answer = metrics(settings, peer)

    assert answer.status_code == 403
    assert b"PIPELIME_METRICS_ALLOW" in answer.content


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED"])
def test_metrics_never_leave_through_a_proxy(header, db, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]

    assert metrics(settings, **{header: "203.0.113.9"}).status_code == 403
