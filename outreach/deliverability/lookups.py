"""Asking the DNS, within a deadline. Everything that asks is given a Resolver, so that a table can answer."""

from __future__ import annotations

import time
from typing import Protocol

import dns.exception
import dns.resolver
from django.conf import settings
from django.utils.module_loading import import_string

QUESTION_SECONDS = 2.0
ALL_SECONDS = 5.0  # of one domain's check: somebody may be waiting for it


class Unanswered(Exception):
    """No name server said yes or no. That is no finding about the domain."""


class Resolver(Protocol):
    """An empty answer is the DNS saying that there is none; Unanswered is raised when it says nothing."""

    def txt(self, name: str) -> list[str]: ...

    def mx(self, name: str) -> list[str]:
        """The hosts, the preferred one first; "." alone says that no mail is taken."""
        ...


class SystemResolver:
    """The machine's own name servers, for at most `seconds` in all."""

    def __init__(self, seconds: float = ALL_SECONDS):
        self.until = time.monotonic() + seconds

    def txt(self, name: str) -> list[str]:
        return [b"".join(record.strings).decode("utf-8", "replace") for record in self.ask(name, "TXT")]

    def mx(self, name: str) -> list[str]:
        found = sorted(self.ask(name, "MX"), key=lambda record: record.preference)
        return [record.exchange.to_text(omit_final_dot=True) or "." for record in found]

    def ask(self, name: str, kind: str) -> list:
        left = min(QUESTION_SECONDS, self.until - time.monotonic())
        if left <= 0:
            raise Unanswered("the name servers took too long")
        try:
            return list(dns.resolver.resolve(name, kind, lifetime=left, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise Unanswered(str(error) or type(error).__name__) from None


def resolver(seconds: float = ALL_SECONDS) -> Resolver:
    made: Resolver = import_string(settings.DNS_RESOLVER)(seconds)
    return made
