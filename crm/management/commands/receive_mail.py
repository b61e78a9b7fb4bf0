"""Takes in one mail from standard input, as mail servers pipe it."""

from __future__ import annotations

import sys
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand

from crm.receiving.accepting import receive
from pipelime.errors import Invalid

log = structlog.get_logger(__name__)

# What mail servers understand (sysexits.h): bounce, bounce as unknown, or keep it and try again.
DATA_ERROR, NO_USER, TRY_AGAIN = 65, 67, 75


class Command(BaseCommand):
    help = (
        "Take in the mail on standard input. Exit status 0: it is safe here; 67: no account has this "
        "address; 65: it is too long or empty; 75: try again later."
    )
    requires_system_checks = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--recipient",
            action="append",
            default=[],
            help="An address of the envelope; without one, the headers tell.",
        )

    def handle(self, *args: Any, recipient: list[str], **options: Any) -> None:
        raw = sys.stdin.buffer.read(settings.INBOUND_LIMIT + 1)
        try:
            mail = receive(raw, source="pipe", recipients=recipient)
        except Invalid as error:
            self.leave(DATA_ERROR, str(error))
        except Exception as error:
            log.exception("mail.pipe_failed")
            self.leave(TRY_AGAIN, f"The mail could not be kept now ({type(error).__name__})")
        if mail is None:
            self.leave(NO_USER, "No account has this address")

    def leave(self, status: int, words: str) -> None:
        self.stderr.write(words)
        sys.exit(status)
