import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from pipelime.ledger import release_expired
from pipelime.scope import account_scope, every_account
from tests.factories import AccountFactory, DeliveryFactory, EndpointFactory
from tests.threads import all_at_once
from tests.webhooks.conftest import make_deliveries
from webhooks.claiming import claim_next
from webhooks.models import Delivery, Endpoint


@pytest.fixture(autouse=True)
def every(account):
    with every_account():
        yield


def test_a_claim_takes_a_hundred_rows_of_one_endpoint_in_order(account):
    endpoint = EndpointFactory(account=account)
    rows = make_deliveries(endpoint, 101)

    claim = claim_next()

    assert claim.endpoint == endpoint
    assert claim.deliveries == rows[:100]
    assert {row.state for row in claim.deliveries} == {"claimed"}
    assert {row.claim for row in claim.deliveries} == {claim.token}


def test_endpoints_are_served_in_turn(account):
    busy, quiet = EndpointFactory.create_batch(2, account=account)
    make_deliveries(busy, 150)
    make_deliveries(quiet, 1)

    assert [claim_next().endpoint for _ in range(3)] == [busy, quiet, busy]
    assert claim_next() is None


def test_an_endpoint_has_two_claims_at_most(account):
    make_deliveries(EndpointFactory(account=account), 201)

    assert len(claim_next().deliveries) == 100
    assert len(claim_next().deliveries) == 100
    assert claim_next() is None


def test_a_claim_whose_leases_have_run_out_frees_its_slot(account):
    make_deliveries(EndpointFactory(account=account), 201)
    claim_next(), claim_next()
    Delivery.objects.filter(state="claimed").update(lease_until=timezone.now() - timedelta(seconds=1))

    assert len(claim_next().deliveries) == 1


@pytest.mark.parametrize("state", ["queued", "claimed", "done", "failed", "cancelled"])
def test_only_queued_rows_are_claimed(account, state):
    DeliveryFactory(account=account, state=state)

    assert (claim_next() is not None) == (state == "queued")


def test_a_row_is_not_claimed_before_it_is_due(account):
    due_at = timezone.now() + timedelta(minutes=5)
    DeliveryFactory(account=account, due_at=due_at)

    assert claim_next(due_at - timedelta(microseconds=1)) is None
    assert claim_next(due_at) is not None


def test_a_disabled_endpoint_is_not_served(account):
    DeliveryFactory(account=account, endpoint__disabled_at=timezone.now())

    assert claim_next() is None
    assert claim_next(failing=True) is None


def test_a_suspended_account_is_not_served():
    DeliveryFactory(account=AccountFactory(suspended_at=timezone.now()))

    assert claim_next() is None


def test_a_failing_endpoint_gives_one_row_at_a_time_and_only_when_asked(account):
    make_deliveries(EndpointFactory(account=account, failing_since=timezone.now()), 3)

    assert claim_next() is None
    assert len(claim_next(failing=True).deliveries) == 1
    assert claim_next(failing=True) is None


def test_an_expired_lease_makes_rows_due_again_under_another_fence(account):
    DeliveryFactory(account=account)
    first = claim_next()
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    release_expired(Delivery)
    second = claim_next()

    assert second.deliveries == first.deliveries
    assert second.deliveries[0].fence > first.deliveries[0].fence
    assert second.token != first.token


@pytest.mark.django_db(transaction=True)
def test_threads_never_hold_more_than_two_claims_of_an_endpoint(transactional_db):
    endpoint = EndpointFactory()
    with every_account():
        make_deliveries(endpoint, 900)

    def claim_once():
        with every_account():
            return claim_next()

    claims = [claim for claim in all_at_once([claim_once] * 6) if claim is not None]

    assert 1 <= len(claims) <= 2
    assert Delivery._base_manager.filter(state="claimed").count() == 100 * len(claims)
    assert len({claim.token for claim in claims}) == len(claims)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_writer_that_has_not_committed_does_not_keep_its_endpoint_from_being_served(transactional_db):
    endpoint = EndpointFactory()
    with every_account():
        make_deliveries(endpoint, 1)
    added, claimed = threading.Event(), threading.Event()

    def write_slowly():
        try:
            with account_scope(endpoint.account), transaction.atomic():
                make_deliveries(endpoint, 1)
                added.set()
                claimed.wait(10)
        finally:
            connections.close_all()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    added.wait(10)
    with every_account():
        claim = claim_next()
    claimed.set()
    writer.join()

    assert len(claim.deliveries) == 1
    assert Endpoint._base_manager.get().served_at is not None
