"""Lowers the restore fence, having shown what is behind it."""

from __future__ import annotations

import getpass

from django.core.management.base import BaseCommand

from outreach import fence
from outreach.confirming import confirm, unsent


class Command(BaseCommand):
    help = (
        "Let sending go on after a restore, a move or a long pause. Shows why it is held and what goes out "
        "next; run it while workers run. With --look nothing is changed."
    )

    def add_arguments(self, parser):
        parser.add_argument("--look", action="store_true", help="Only show what is held.")
        parser.add_argument(
            "--pause-campaigns",
            action="store_true",
            help="Pause every running campaign first, so that people resume them one after another.",
        )
        parser.add_argument("--name", metavar="WHO", default="", help="Who confirms; else the system's user.")

    def handle(self, *, look, pause_campaigns, name, **options):
        row = fence.held()
        if row is None:
            self.stdout.write("Nothing is held: mail is sent as planned.")
            return
        self.show(row)
        if look:
            return
        confirm(by=name or getpass.getuser(), pause_campaigns=pause_campaigns)
        paused = " Every running campaign is paused: resume them one by one." if pause_campaigns else ""
        self.stdout.write(f"Confirmed: sending goes on.{paused}")

    def show(self, row):
        waiting = unsent()
        self.stdout.write(f"Sending is held since {fence.moment(row.held_at)}: {row.reason}.")
        self.stdout.write(f"This installation is {row.installation} (PIPELIME_INSTALLATION).")
        self.stdout.write(
            f"{waiting.due} messages are due and {waiting.later} are queued for later; "
            f"{waiting.running} campaigns are running."
        )
        for message in waiting.first:
            source = message.campaign_name or "a mail to a lead"
            self.stdout.write(
                f"  next: {fence.moment(message.due_at)}  {message.account.slug}  "
                f"{message.to_address}  ({source})"
            )
