"""Proves from the ledger that nobody was mailed twice and nothing was lost, or names every offender."""

from __future__ import annotations

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from outreach.counting import differences
from outreach.models import Message
from outreach.proving import CHECKS, offences, received_faults
from pipelime.accounts.models import Account
from pipelime.scope import account_scope, every_account


class Command(BaseCommand):
    help = (
        "Check the whole ledger of messages again: nobody mailed twice, no step taken twice, every mail that "
        "was sent on record. Prints each offender; exit status 1 when there is one."
    )

    def add_arguments(self, parser):
        parser.add_argument("--account", metavar="SLUG", help="Only this account's messages.")
        parser.add_argument(
            "--received",
            metavar="FILE",
            type=Path,
            help="Message-IDs that a mail server received, one a line: none twice, each known as sent.",
        )

    def handle(self, *, account, received, **options):
        found = self.account_named(account) if account else None
        with account_scope(found) if found else every_account():
            faults = self.examine(received, everything=found is None)
        self.stdout.write(f"{faults} offences." if faults else "No offence: nobody was mailed twice.")
        if faults:
            sys.exit(1)

    def account_named(self, slug: str) -> Account:
        found = Account.objects.filter(slug=slug).first()
        if found is None:
            raise CommandError(f"There is no account {slug!r}; use the slug that its settings show")
        return found

    def examine(self, received: Path | None, *, everything: bool) -> int:
        rows = Message.objects.all()
        self.figures(rows)
        faults = 0
        for offence in offences(rows):
            faults += self.tell(offence.check, offence.sentence)
        if everything:
            for scope, used, counted in differences():
                if used < counted:
                    words = f"{scope} says {used}, but {counted} messages raised it"
                    faults += self.tell("counters cover their messages", words)
        if received:
            with received.open(encoding="utf-8", errors="replace") as lines:
                for sentence in received_faults(lines, rows):
                    faults += self.tell("what was received was sent once", sentence)
        return faults

    def figures(self, rows) -> None:
        states = rows.values_list("state").annotate(Count("pk")).order_by("state")
        told = ", ".join(f"{count:,} {state}" for state, count in states) or "none"
        self.stdout.write(f"Messages: {told}. {len(CHECKS)} checks.")

    def tell(self, check: str, sentence: str) -> int:
        self.stdout.write(f"{check}: {sentence}")
        return 1
