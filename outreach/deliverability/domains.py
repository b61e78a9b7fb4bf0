"""Sending domains: one row for each that mailboxes send from, what the DNS says of it, its own key."""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction
from django.utils import timezone

from outreach.deliverability import dkim_records, dmarc, mail_hosts, spf
from outreach.deliverability.findings import Finding, asked
from outreach.deliverability.lookups import Resolver, resolver
from outreach.deliverability.signing import new_key, record_of
from outreach.models import EmailAccount, SendingDomain
from pipelime.errors import Invalid
from pipelime.events.recording import record

OWN_SELECTOR = "pipelime"
CHANGEABLE = ("dkim_selector", "signs")

_SELECTOR = re.compile(
    r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE
)


def domain_of(mailbox: EmailAccount) -> SendingDomain:
    """The mailbox's domain, made when it is the first one to send from it."""
    found, _ = SendingDomain.objects.get_or_create(account_id=mailbox.account_id, name=mailbox.domain)
    return found


def mailboxes_of(domain: SendingDomain) -> list[EmailAccount]:
    """Those that send from the domain, however their addresses spell it."""
    connected = EmailAccount.objects.alive().filter(account_id=domain.account_id)
    return [mailbox for mailbox in connected if mailbox.domain == domain.name]


def look(domain: SendingDomain, asks: Resolver | None = None) -> SendingDomain:
    """Ask the DNS and keep what it says. Takes seconds: no transaction should be waiting for it."""
    asks = asks or resolver()
    hosts = {mailbox.smtp_host for mailbox in mailboxes_of(domain)}
    domain.findings = [finding.as_json() for finding in findings(domain, asks, hosts)]
    domain.checked_at = timezone.now()
    domain.save(update_fields=["findings", "checked_at", "updated_at"])
    return domain


def findings(domain: SendingDomain, asks: Resolver, hosts: set[str]) -> list[Finding]:
    name, selector, own = domain.name, domain.dkim_selector, dkim_record(domain)
    return [
        asked("spf", lambda: spf.check(name, asks, hosts)),
        asked("dmarc", lambda: dmarc.check(name, asks)),
        asked("mx", lambda: mail_hosts.check(name, asks)),
        # Last, since it may have many questions: what it finds stops nothing.
        asked("dkim", lambda: dkim_records.check(name, asks, selector, own, signs=domain.signs)),
    ]


def dkim_record(domain: SendingDomain) -> str:
    return record_of(domain.dkim_key) if domain.dkim_key else ""


def dkim_name(domain: SendingDomain) -> str:
    """Where the record is published."""
    return f"{domain.dkim_selector}._domainkey.{domain.name}"


@transaction.atomic
def update_domain(domain: SendingDomain, *, by, **changes: Any) -> SendingDomain:
    if unknown := sorted(set(changes) - set(CHANGEABLE)):
        raise Invalid(f"A sending domain has no {unknown[0]!r} to change", field=unknown[0])
    before = {name: getattr(domain, name) for name in CHANGEABLE}
    domain.dkim_selector = clean_selector(changes.get("dkim_selector", domain.dkim_selector))
    domain.signs = changes.get("signs", domain.signs)
    if domain.signs and not (domain.dkim_key and domain.dkim_selector):
        raise Invalid(
            "There is nothing to sign with: make a key, publish its record, then turn signing on",
            field="signs",
        )
    changed = {
        name: [old, getattr(domain, name)] for name, old in before.items() if getattr(domain, name) != old
    }
    if changed:
        domain.save(update_fields=[*changed, "updated_at"])
        record("sending_domain.updated", domain, by=by, changes=changed)
    return domain


def clean_selector(selector: str) -> str:
    selector = selector.strip().lower()
    if selector and (len(selector) > 63 or not _SELECTOR.fullmatch(selector)):
        raise Invalid(f"{selector!r} is no selector; use letters, digits and hyphens", field="dkim_selector")
    return selector


@transaction.atomic
def make_key(domain: SendingDomain, *, by) -> SendingDomain:
    """A new key for the domain. It signs nothing before somebody says that its record is published."""
    domain.dkim_key = new_key()
    domain.dkim_selector = domain.dkim_selector or OWN_SELECTOR
    domain.signs = False
    domain.save(update_fields=["dkim_key", "dkim_selector", "signs", "updated_at"])
    record("sending_domain.updated", domain, by=by, changes={"dkim_key": ["", "changed"]})
    return domain
