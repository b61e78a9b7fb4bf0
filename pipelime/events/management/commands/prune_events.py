"""Deletes old history by hand; the scheduler does the same every hour."""

from django.conf import settings
from django.core.management.base import BaseCommand

from pipelime.events.retention import prune


class Command(BaseCommand):
    help = "Delete events older than PIPELIME_EVENT_DAYS, in batches; safe to stop and to run again."

    def handle(self, **options):
        deleted = prune()["events"]
        self.stdout.write(f"{deleted} events older than {settings.EVENT_RETENTION.days} days deleted")
