"""Prints where each account takes mail."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from crm.receiving import inbound_address, post_url
from pipelime.accounts.models import Account


class Command(BaseCommand):
    help = "Print every account's address for leads by mail, and the one that mail services post to."

    def handle(self, *args: Any, **options: Any) -> None:
        for account in Account.objects.order_by("pk"):
            self.stdout.write(f"{account.slug}\t{inbound_address(account)}\t{post_url(account)}")
