"""Threads of their own need rows that are really committed, hence transactional_db throughout."""

import socket
import threading

import pytest
from django.db import connections

from pipelime.scope import every_account
from tests.factories import EndpointFactory
from tests.sinks import HttpReceiver
from tests.webhooks.conftest import make_deliveries
from webhooks import tasks
from webhooks.dispatching import Dispatcher
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def every(transactional_db):
    with every_account():
        yield


def states() -> set[str]:
    return set(Delivery.objects.values_list("state", flat=True))


def test_everything_due_is_delivered_and_no_thread_stays(receiver):
    for endpoint in EndpointFactory.create_batch(3, url=receiver.url):
        make_deliveries(endpoint, 5)
    dispatcher = Dispatcher()

    assert dispatcher.run(30) is True

    assert dispatcher.attempted == 15
    assert states() == {"done"}
    assert (
        len({request.headers["webhook-id"] for request in receiver.requests}) == len(receiver.requests) == 15
    )
    assert not [thread for thread in threading.enumerate() if thread.name == "webhooks"]


def test_hung_receivers_hold_up_nobody(receiver):
    """The hung ones are first in line and more than may talk at once; each would take 15 s to time out."""
    all_served, take = threading.Event(), receiver.take

    def take_and_tell(request):
        status = take(request)
        if len(receiver.requests) == 30:
            all_served.set()
        return status

    receiver.take = take_and_tell
    with socket.create_server(("127.0.0.1", 0), backlog=128) as hung:
        url = f"http://127.0.0.1:{hung.getsockname()[1]}/"
        for endpoint in EndpointFactory.create_batch(10, url=url):
            make_deliveries(endpoint, 3)
        for endpoint in EndpointFactory.create_batch(10, url=receiver.url):
            make_deliveries(endpoint, 3)
        dispatcher = Dispatcher()
        running = threading.Thread(target=run_and_close, args=(dispatcher,))
        running.start()

        served_in_time = all_served.wait(12)
        dispatcher.stop()
    running.join()  # closing the listener has reset what hung on it

    assert served_in_time
    healthy = Delivery.objects.filter(endpoint__url=receiver.url)
    assert set(healthy.values_list("state", flat=True)) == {"done"}
    assert not Delivery.objects.filter(endpoint__url=url, state="done").exists()


def run_and_close(dispatcher: Dispatcher) -> None:
    try:
        with every_account():
            dispatcher.run(60)
    finally:
        connections.close_all()


def test_no_endpoint_ever_has_three_requests_under_way():
    under_way, most, lock = [0], [0], threading.Lock()

    class Counting(HttpReceiver):
        def take(self, request):
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            threading.Event().wait(0.01)
            with lock:
                under_way[0] -= 1
            return super().take(request)

    with Counting() as receiver:
        make_deliveries(EndpointFactory(url=receiver.url), 250)
        assert Dispatcher().run(60) is True

    assert most[0] == 2
    assert len(receiver.requests) == 250


def test_a_dispatcher_told_to_stop_gives_back_what_it_has_not_begun():
    with HttpReceiver() as receiver:
        dispatcher = Dispatcher()
        take = receiver.take
        receiver.take = lambda request: dispatcher.stop() or take(request)
        make_deliveries(EndpointFactory(url=receiver.url), 50)

        assert dispatcher.run(30) is False

    assert len(receiver.requests) < 50
    assert Delivery.objects.filter(state="done").count() == len(receiver.requests)
    assert states() == {"done", "queued"}


def test_the_task_delivers_and_frees_rows_of_dead_workers(receiver):
    from datetime import timedelta

    from django.utils import timezone

    dead = {"state": "claimed", "claim": "dead", "lease_until": timezone.now() - timedelta(minutes=1)}
    make_deliveries(EndpointFactory(url=receiver.url), 2, **dead)

    tasks.deliver_due()

    assert states() == {"done"}


def test_a_task_beside_a_running_one_leaves_the_work_to_it(receiver):
    make_deliveries(EndpointFactory(url=receiver.url), 1)

    with tasks._running:
        tasks.deliver_due()
        assert states() == {"queued"}
    tasks.deliver_due()

    assert states() == {"done"}


def test_a_run_whose_time_is_up_rings_again(receiver, bells, monkeypatch):
    monkeypatch.setattr(tasks, "RUN_SECONDS", 0)
    monkeypatch.setattr(tasks, "ring_now", bells.append)
    make_deliveries(EndpointFactory(url=receiver.url), 1)

    tasks.deliver_due()

    assert bells == ["webhooks.tasks.deliver_due"]


def test_a_broken_batch_does_not_end_the_others(receiver):
    broken, sound = EndpointFactory(url=receiver.url), EndpointFactory(url=receiver.url)
    make_deliveries(broken, 1)
    make_deliveries(sound, 1)
    broken.secret = "whsec_short"
    broken.save()

    assert Dispatcher().run(30) is True

    assert dict(Delivery.objects.values_list("endpoint_id", "state")) == {
        broken.pk: "claimed",
        sound.pk: "done",
    }
