"""Forgets old webhook deliveries."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from pipelime.scope import every_account
from webhooks.retention import prune


class Command(BaseCommand):
    help = "Empty bodies and delete deliveries past their retention, in batches; safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        with every_account():
            counts = prune()
        self.stdout.write(
            self.style.SUCCESS(
                f"{counts['bodies']} bodies emptied, {counts['deliveries']} deliveries deleted"
            )
        )
