"""bin/manage prune_idempotency: forget remembered answers whose day is over."""

from django.core.management.base import BaseCommand

from pipelime.api.idempotency import prune


class Command(BaseCommand):
    help = "Deletes stored answers of requests with an Idempotency-Key older than a day, in batches."

    def handle(self, *args, **options) -> None:
        for name, rows in prune().items():
            self.stdout.write(f"{name.replace('_', ' ')}: {rows} deleted")
