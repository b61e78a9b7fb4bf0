"""Checks every dependency and setting of this installation."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from pipelime.doctor import configuration, databases, machine, work
from pipelime.doctor.verdicts import Check, Verdict, examine

CONFIGURATION: list[Check] = [
    machine.python,
    configuration.secrets,
    configuration.debug,
    configuration.addresses,
    configuration.hosts,
    configuration.outbound,
    configuration.system_mail,
    machine.disk,
    machine.storage,
    machine.static_files,
    work.broker,
]
STORED: list[Check] = [
    databases.production,
    databases.clock,
    machine.time_zones,
    work.accounts,
    work.waiting,
    work.sending,
    work.ambiguous,
    work.mailboxes,
    work.inbox,
    work.caps,
    work.worker,
]


class Command(BaseCommand):
    help = "Check every dependency and setting, a sentence each. Exit status 1 when something must be mended."
    requires_system_checks: list[str] = []  # it says itself, and more kindly, what is wrong

    def handle(self, *args: Any, **options: Any) -> None:
        verdicts = self.tell(CONFIGURATION)
        # Each of these rests on the one before, whose failure is then all there is to say.
        for checks in ([databases.databases], [databases.migrations], STORED):
            told = self.tell(checks)
            verdicts += told
            if any(verdict.failed for verdict in told):
                break
        failures = sum(verdict.failed for verdict in verdicts)
        warnings = sum(verdict.level == "warning" for verdict in verdicts)
        self.stdout.write(f"{len(verdicts)} checks: {failures} failures, {warnings} warnings.")
        if failures:
            sys.exit(1)

    def tell(self, checks: list[Check]) -> list[Verdict]:
        styles = {"ok": self.style.SUCCESS, "warning": self.style.WARNING, "failure": self.style.ERROR}
        told = []
        for verdict in examine(checks):
            self.stdout.write(f"{styles[verdict.level](verdict.level.ljust(8))} {verdict.sentence}")
            told.append(verdict)
        return told
