from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests.factories import DeliveryFactory
from webhooks import retention
from webhooks.models import Attempt, Delivery
from webhooks.retention import prune


def of_age(days, *, account, **facts):
    made = timezone.now() - timedelta(days=days)
    return DeliveryFactory(account=account, created_at=made, **{"state": "done", "body": "{}", **facts})


def test_bodies_go_after_30_days_and_deliveries_with_their_attempts_after_90(account):
    fresh, old, ancient = (of_age(days, account=account) for days in (29, 31, 91))
    for delivery in (fresh, old, ancient):
        Attempt.objects.create(delivery=delivery, status=200)

    assert prune() == {"bodies": 1, "deliveries": 1}

    assert dict(Delivery.objects.values_list("pk", "body")) == {fresh.pk: "{}", old.pk: ""}
    assert set(Attempt.objects.values_list("delivery_id", flat=True)) == {fresh.pk, old.pk}


@pytest.mark.parametrize("state", ["queued", "claimed"])
def test_what_is_still_to_be_delivered_is_kept_whatever_its_age(account, state):
    of_age(200, account=account, state=state)

    assert prune() == {"bodies": 0, "deliveries": 0}

    assert Delivery.objects.get().body == "{}"


def test_more_than_a_batch_is_pruned_in_one_go(account, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for days in (31, 31, 31, 91, 91, 91):
        of_age(days, account=account)

    assert prune() == {"bodies": 3, "deliveries": 3}
    assert prune() == {"bodies": 0, "deliveries": 0}


def test_the_command_prunes_every_account_and_says_how_much(account, stranger, capsys):
    of_age(31, account=account)
    of_age(91, account=stranger.account)

    call_command("prune_deliveries")

    assert "1 bodies emptied, 1 deliveries deleted" in capsys.readouterr().out
