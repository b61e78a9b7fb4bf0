"""bin/manage write_openapi: writes the native API's document to where it is committed."""

from django.conf import settings
from django.core.management.base import BaseCommand

from pipelime.api.native.documentation import document


class Command(BaseCommand):
    help = "Writes docs/api/openapi.json, which a test compares with what the views say."

    def handle(self, *args, **options) -> None:
        path = settings.BASE / "docs" / "api" / "openapi.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document())
        self.stdout.write(f"Wrote {path.relative_to(settings.BASE)}")
