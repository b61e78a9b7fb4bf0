"""A bell is a nudge: at most one a second, never an error, never before the rows can be seen."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.db import transaction
from kombu.exceptions import OperationalError

from pipelime import doorbell
from pipelime.celery import app

RING_NOW = doorbell.ring_now  # an ordinary test hears bells instead of ringing them


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(doorbell.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(doorbell, "_last", {})
    return now


@pytest.fixture
def published(monkeypatch) -> list[tuple[str, dict]]:
    calls: list[tuple[str, dict]] = []
    monkeypatch.setattr(app, "send_task", lambda task, **options: calls.append((task, options)))
    return calls


def test_a_bell_expires_and_is_not_tried_again(clock, published):
    assert RING_NOW("a.task") is True

    assert published == [("a.task", {"expires": 30, "retry": False, "ignore_result": True})]


def test_a_task_is_rung_for_once_a_second(clock, published):
    rung = []
    for moment in (1000.0, 1000.5, 1000.999, 1001.0, 1001.5, 1002.1):
        clock[0] = moment
        rung.append(RING_NOW("a.task"))

    assert rung == [True, False, False, True, False, True]


def test_each_task_has_a_bell_of_its_own(clock, published):
    assert [RING_NOW("a.task"), RING_NOW("b.task"), RING_NOW("a.task")] == [True, True, False]


@pytest.mark.parametrize(
    "error", [OperationalError("refused"), ConnectionError("gone"), OSError(28, "disk full")]
)
def test_a_broker_that_fails_harms_nobody(error, clock, monkeypatch):
    def fail(task, **options):
        raise error

    monkeypatch.setattr(app, "send_task", fail)

    assert RING_NOW("a.task") is False


def test_a_dead_broker_is_no_error():
    """In a process of its own: Celery reads its broker once."""
    lines = (
        "import django; django.setup()",
        "from pipelime.doorbell import ring_now",
        "print(ring_now('a.task'))",
    )
    environment = {
        **os.environ,
        "BROKER_URL": "redis://127.0.0.1:1/0",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }

    done = subprocess.run(
        [sys.executable, "-c", "; ".join(lines)], env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"


@pytest.mark.django_db(transaction=True)
def test_a_bell_is_rung_after_the_commit(bells):
    with transaction.atomic():
        doorbell.ring("a.task")
        before = list(bells)

    assert (before, bells) == ([], ["a.task"])


@pytest.mark.django_db(transaction=True)
def test_a_bell_of_a_rolled_back_change_is_not_rung(bells):
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012
        doorbell.ring("a.task")
        raise ZeroDivisionError

    assert bells == []


@pytest.mark.django_db(transaction=True)
def test_a_bell_that_fails_leaves_the_committed_change_alone(monkeypatch):
    def fail(task):
        raise ConnectionError("whatever")

    monkeypatch.setattr(doorbell, "ring_now", fail)

    with transaction.atomic():
        doorbell.ring("a.task")
