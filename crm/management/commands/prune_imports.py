"""Forgets old uploads."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from crm.importing.retention import prune
from pipelime.scope import every_account


class Command(BaseCommand):
    help = "Delete uploaded files and refused cells past their retention; safe to stop and to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        with every_account():
            counts = prune()
        self.stdout.write(self.style.SUCCESS(f"{counts['import_files']} import files deleted"))
