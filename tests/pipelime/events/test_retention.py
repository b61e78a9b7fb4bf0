"""History ends: old events go in batches, of every account, and young ones stay."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from pipelime.events import retention
from pipelime.events.models import Event
from pipelime.events.recording import record
from pipelime.scope import account_scope, every_account
from tests.factories import AccountFactory, ContactFactory

pytestmark = pytest.mark.django_db


def make_events(count, *, days_ago):
    account = AccountFactory()
    contact = ContactFactory(account=account)
    with account_scope(account), transaction.atomic():
        for _ in range(count):
            event = record("contact.created", contact, by=None)
            Event.objects.filter(pk=event.pk).update(at=timezone.now() - timedelta(days=days_ago))


def test_events_beyond_the_retention_go_and_the_others_stay(settings, monkeypatch):
    settings.EVENT_RETENTION = timedelta(days=30)
    monkeypatch.setattr(retention, "BATCH", 2)
    make_events(3, days_ago=31)
    make_events(2, days_ago=31)
    make_events(2, days_ago=29)

    assert retention.prune() == {"events": 5}
    assert retention.prune() == {"events": 0}

    with every_account():
        assert Event.objects.count() == 2


def test_the_command_says_how_many(settings, capsys):
    settings.EVENT_RETENTION = timedelta(days=30)
    make_events(1, days_ago=31)

    call_command("prune_events")

    assert capsys.readouterr().out == "1 events older than 30 days deleted\n"
