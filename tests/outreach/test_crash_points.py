"""A worker that dies at each step of sending: what the next one may do, and what nobody may do again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from django.utils import timezone

from outreach.models import Message
from outreach.planning import plan_account
from tests.outreach.processes import Workers, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.end_to_end]


@pytest.fixture(scope="module")
def herd(django_db_setup, django_db_blocker) -> Iterator[Workers]:
    """One for all the steps; its workers are forked, so that each is there at once."""
    with django_db_blocker.unblock():
        workers = Workers(1.0)
    yield workers
    workers.stop()


def turns(*answers):
    """One answer after the other; the last one stays."""
    left = list(answers)

    def next_turn(argument: str):
        answer = left.pop(0) if len(left) > 1 else left[0]
        return answer(argument) if callable(answer) else answer

    return next_turn


# Where it dies, as the server sees it; how often that step goes well before; how many mails may be in doubt.
STEPS = [
    pytest.param("greeting", 0, {0}, id="claimed"),
    pytest.param("RCPT", 0, {0}, id="a_recipient_was_named"),
    pytest.param("dot", 0, {1}, id="after_the_dot"),
    pytest.param("MAIL", 1, {0, 1}, id="the_answer_was_heard"),  # written with the next, by a quick worker
    pytest.param("dot", 1, {1}, id="after_the_second_dot"),
    pytest.param("QUIT", 0, {0}, id="all_was_written"),
]


@pytest.mark.parametrize(("step", "before", "doubts"), STEPS)
def test_whoever_dies_there_leaves_no_second_mail(account, started, sink, herd, step, before, doubts):
    usual, killed = sink.answers[step], threading.Event()

    def kill(_: str) -> str:
        herd.kill(herd.oldest())
        killed.set()
        return usual

    sink.answers[step] = turns(*[usual] * before, kill, usual)
    started(2)
    plan_account(account.pk, timezone.now())
    herd.start()
    assert killed.wait(20)
    second = herd.start()

    wait_until(lambda: not Message.objects.filter(state__in=Message.OPEN).exists(), 20)
    herd.kill(second)
    sink.finish()

    states = Counter(Message.objects.values_list("state", flat=True))
    assert states["ambiguous"] in doubts
    assert states["sent"] == 2 - states["ambiguous"]
    addresses = [arrival.recipients[0] for arrival in sink.arrivals]
    assert len(addresses) == len(set(addresses)) == 2
