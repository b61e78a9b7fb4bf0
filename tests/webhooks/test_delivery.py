from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import standardwebhooks
import time_machine
from django.utils import timezone

from pipelime.events.recording import record
from pipelime.ledger import release_expired
from pipelime.outbound.errors import REFUSAL
from pipelime.scope import every_account
from tests.factories import ContactFactory, DeliveryFactory, EndpointFactory
from tests.sinks import HttpReceiver
from tests.webhooks.conftest import make_deliveries
from webhooks.claiming import claim_next
from webhooks.delivery import Batch
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.signing import new_secret


def test_an_event_arrives_signed_and_is_done(account, user, receiver, deliver):
    endpoint = EndpointFactory(account=account, url=receiver.url, secret=new_secret())
    record("contact.created", ContactFactory(account=account), by=user)

    assert deliver() == 1

    [request] = receiver.requests
    delivery = Delivery.objects.get()
    verified = standardwebhooks.Webhook(endpoint.secret).verify(request.body, request.headers)
    assert verified["type"] == "contact.created"
    assert request.body.decode() == delivery.body
    assert request.headers["webhook-id"] == delivery.webhook_id
    assert request.headers["content-type"] == "application/json"
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("done", 1, 200)
    assert delivery.delivered_at == Attempt.objects.get().at
    assert (delivery.lease_until, delivery.claim) == (None, "")


def test_a_batch_goes_out_in_order_and_is_written_in_a_few_statements(
    account, endpoint, receiver, deliver, django_assert_max_num_queries
):
    make_deliveries(endpoint, 60)

    with django_assert_max_num_queries(50):
        assert deliver() == 60

    assert [request.body for request in receiver.requests] == [b'{"n":%d}' % n for n in range(60)]
    assert Delivery.objects.filter(state="done", attempts=1, last_status=200).count() == 60
    assert Attempt.objects.count() == 60


def test_the_answer_is_kept_for_the_endpoints_owner(account, deliver):
    with HttpReceiver(500, body=b"broken\x00 here: \xff") as receiver:
        DeliveryFactory(account=account, endpoint__url=receiver.url)
        deliver()

    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error) == (500, "The receiver answered 500")
    assert attempt.answer == "broken here: \ufffd"
    assert attempt.seconds > 0


def test_a_long_answer_is_cut(account, deliver):
    with HttpReceiver(200, body=b"x" * 30_000) as receiver:
        DeliveryFactory(account=account, endpoint__url=receiver.url)
        deliver()

    assert len(Attempt.objects.get().answer) == 20_000
    assert Delivery.objects.get().state == "done"


def test_a_refusal_by_policy_tells_nothing_about_the_network(account, settings, deliver):
    settings.OUTBOUND_ALLOW = []
    for url in ("https://127.0.0.1:1/", "https://10.1.2.3/", "http://192.168.0.1/"):
        DeliveryFactory(account=account, endpoint__url=url)

    deliver()

    assert set(Attempt.objects.values_list("status", "error", "answer")) == {(None, REFUSAL, "")}
    assert set(Delivery.objects.values_list("state", "last_error")) == {("queued", REFUSAL)}


@pytest.mark.parametrize("status", [301, 400, 500])
def test_anything_but_success_is_tried_again_later(account, deliver, status):
    with HttpReceiver(status, headers={"Location": "/elsewhere"}) as receiver:
        DeliveryFactory(account=account, endpoint__url=receiver.url)
        deliver()

        assert len(receiver.requests) == 1
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("queued", 1, status)
    assert timedelta(seconds=3) < delivery.due_at - timezone.now() <= timedelta(seconds=6)
    assert delivery.delivered_at is None


def test_the_body_and_the_id_stay_and_the_timestamp_moves_with_every_attempt(account, deliver):
    with HttpReceiver(500, 200) as receiver, time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC)) as clock:
        DeliveryFactory(account=account, endpoint__url=receiver.url, body='{"n": 1}')
        deliver()
        clock.shift(timedelta(seconds=7))
        deliver(failing=True)

    first, second = receiver.requests
    assert first.body == second.body == b'{"n": 1}'
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 7
    assert Delivery.objects.get().state == "done"


def test_ten_attempts_follow_the_schedule_and_then_it_has_failed(account, settings, deliver):
    settings.WEBHOOK_DISABLE_AFTER = timedelta(days=30)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with HttpReceiver(500) as receiver, time_machine.travel(start, tick=False) as clock:
        DeliveryFactory(account=account, endpoint__url=receiver.url)
        for tries in range(1, 11):
            deliver(failing=tries > 1)
            delivery = Delivery.objects.get()
            assert delivery.attempts == tries
            clock.move_to(delivery.due_at)

        assert deliver(failing=True) == 0
        assert len(receiver.requests) == 10
    pauses = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    moments = list(Attempt.objects.order_by("at").values_list("at", flat=True))
    assert moments[0] == start
    for base, (earlier, later) in zip(pauses, pairwise(moments), strict=True):
        assert 0.8 * base <= (later - earlier).total_seconds() <= 1.2 * base
    assert Delivery.objects.get().state == "failed"


def test_a_hung_receiver_gives_the_rest_of_its_batch_back_untouched(account, hung_url, settings, deliver):
    settings.OUTBOUND_TIMEOUT = 0.2
    endpoint = EndpointFactory(account=account, url=hung_url)
    first, *others = make_deliveries(endpoint, 4)
    with every_account():
        assert Batch(claim_next()).deliver() == 1

    first.refresh_from_db()
    assert (first.state, first.attempts, first.last_error) == ("queued", 1, "No answer within 0.2 s")
    assert first.due_at - timezone.now() > timedelta(seconds=50)
    for other in others:
        due_at = other.due_at
        other.refresh_from_db()
        assert (other.state, other.attempts, other.due_at, other.lease_until) == ("queued", 0, due_at, None)
    endpoint.refresh_from_db()
    assert endpoint.failing_since == Attempt.objects.get().at


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_to_be_spared_is_spared_the_rest_of_the_batch(account, status, deliver):
    with HttpReceiver(status) as receiver:
        make_deliveries(EndpointFactory(account=account, url=receiver.url), 3)

        assert deliver() == 1

        assert len(receiver.requests) == 1
    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0, 0, 1]


def test_one_bad_row_does_not_hold_up_the_rest(account, deliver):
    with HttpReceiver(200, 500, 200) as receiver:
        make_deliveries(EndpointFactory(account=account, url=receiver.url), 3)

        assert deliver() == 3

    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["done", "done", "queued"]
    assert Endpoint.objects.get().failing_since is None


def test_a_worker_that_dies_before_writing_delivers_again_with_the_same_id_and_bytes(
    account, endpoint, receiver, deliver
):
    make_deliveries(endpoint, 2)
    with every_account():
        dying = Batch(claim_next())
        dying._write = lambda: None  # what it did never reaches the database
        dying._line.attempt(dying.claim.deliveries[0])
        dying._line.close()
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    release_expired(Delivery)
    deliver()

    lost, again, other = receiver.requests
    assert again.headers["webhook-id"] == lost.headers["webhook-id"] != other.headers["webhook-id"]
    assert again.body == lost.body
    assert set(Delivery.objects.values_list("state", "attempts")) == {("done", 1)}


def test_a_worker_that_woke_up_too_late_writes_nothing(account, endpoint, receiver):
    make_deliveries(endpoint, 1)
    with every_account():
        late = Batch(claim_next())
        Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        release_expired(Delivery)
        current = claim_next()

        late.deliver()

        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.claim, delivery.attempts) == ("claimed", current.token, 0)
        assert not Attempt.objects.exists()
        Batch(current).deliver()
    assert Delivery.objects.get().state == "done"
    assert Attempt.objects.count() == 1


def test_leases_are_renewed_before_they_run_out(account, endpoint, receiver, settings):
    settings.LEASE = timedelta(seconds=60)
    make_deliveries(endpoint, 2)
    with every_account():
        batch = Batch(claim_next())
        batch._renewed_at -= 21
        before = Delivery.objects.latest("pk").lease_until
        seen = []
        attempt = batch._line.attempt
        batch._line.attempt = lambda row: (
            seen.append(Delivery.objects.latest("pk").lease_until) or attempt(row)
        )

        batch.deliver()

    assert seen[0] > before


def test_rows_that_somebody_else_has_taken_meanwhile_are_left_to_them(account, endpoint, receiver):
    kept, taken = make_deliveries(endpoint, 2)
    with every_account():
        batch = Batch(claim_next())
        batch._renewed_at -= 21
        Delivery.objects.filter(pk=taken.pk).update(claim="other", fence=99)

        assert batch.deliver() == 1

    assert [request.body for request in receiver.requests] == [kept.body.encode()]
    assert Delivery.objects.get(pk=taken.pk).state == "claimed"


def test_a_batch_told_to_stop_gives_back_what_it_has_not_begun(account, endpoint, receiver):
    make_deliveries(endpoint, 3)
    with every_account():
        batch = Batch(claim_next())
        batch.stop()

        assert batch.deliver() == 0

    assert set(Delivery.objects.values_list("state", "claim")) == {("queued", "")}
    assert receiver.requests == []


def test_an_outcome_is_written_within_a_second_of_work(account, endpoint, receiver):
    make_deliveries(endpoint, 2)
    with every_account():
        batch = Batch(claim_next())
        batch._written_at -= 1
        states = []
        attempt = batch._line.attempt
        batch._line.attempt = lambda row: (
            states.append(sorted(Delivery.objects.values_list("state", flat=True))) or attempt(row)
        )

        batch.deliver()

    assert states == [["claimed", "claimed"], ["claimed", "done"]]


def test_an_endpoint_deleted_under_way_ends_without_a_trace(account, user, receiver):
    from webhooks.endpoints import delete_endpoint

    endpoint = EndpointFactory(account=account, url=receiver.url, events=["lead.*"])
    make_deliveries(endpoint, 2)
    with every_account():
        batch = Batch(claim_next())
    delete_endpoint(endpoint, by=user)

    batch.deliver()

    assert not Attempt.objects.exists()
    assert not Delivery.objects.exists()


def test_a_batch_writes_in_its_own_accounts_scope(account, receiver, stranger):
    endpoint = EndpointFactory(account=stranger.account, url=receiver.url)
    make_deliveries(endpoint, 1)
    with every_account():
        batch = Batch(claim_next())

    batch.deliver()

    assert not Delivery.objects.exists()
    with every_account():
        assert Delivery.objects.get().state == "done"
