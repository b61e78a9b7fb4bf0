"""Encrypts every stored secret under the first of PIPELIME_KEYS."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from pipelime.encryption import EncryptedTextField, current_key_id, encrypted_fields, rotate
from pipelime.scope import every_account


class Command(BaseCommand):
    help = "Encrypt all secrets under the first key of PIPELIME_KEYS; afterwards older keys may be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        with every_account():
            unreadable = sum(self.rotate_field(field) for field in encrypted_fields(apps.get_models()))
        if unreadable:
            raise CommandError(f"{unreadable} secrets could not be read: keep the old keys, enter those anew")
        self.stdout.write(self.style.SUCCESS(f"Everything is encrypted under key {current_key_id()!r}"))

    def rotate_field(self, field: EncryptedTextField) -> int:
        count, unreadable = 0, 0
        for done in rotate(field):
            count += done.rows
            unreadable += len(done.failures)
            for failure in done.failures:
                self.stderr.write(failure)
        self.stdout.write(f"{field.model._meta.label}.{field.name}: {count} rows encrypted anew")
        return unreadable
