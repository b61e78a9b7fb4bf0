"""What stands between a campaign and good delivery: reasons not to start it, and warnings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from outreach.deliverability import words
from outreach.deliverability.domains import domain_of, look
from outreach.deliverability.lookups import ALL_SECONDS, Resolver, resolver
from outreach.models import Campaign, EmailAccount, SendingDomain, SequenceStep
from pipelime import outbound
from pipelime.scope import account_scope, every_account

FRESH = timedelta(days=1)
A_ROUND = 50  # domains that one round of housekeeping looks at; the others have theirs an hour later


def problems_of(campaign: Campaign) -> list[str]:
    """Why its senders' domains keep it from starting, as far as the DNS has been asked. Asks nobody anew."""
    return list(said(campaign, "problem"))


def warnings_of(campaign: Campaign) -> list[str]:
    """What would do better otherwise: the domains' lesser faults, and words that filters dislike."""
    steps = campaign.steps.filter(channel=SequenceStep.Channel.EMAIL)
    return [*said(campaign, "warning"), *(fault for step in steps for fault in words.of_step(step))]


def refresh(campaign: Campaign, asks: Resolver | None = None) -> None:
    """Look anew at the domains last looked at more than a day ago: at most five seconds in all.

    To be called before the transaction that starts the campaign.
    """
    until = time.monotonic() + ALL_SECONDS
    for mailbox in judged_mailboxes(campaign):
        domain = domain_of(mailbox)
        if is_stale(domain) and until > time.monotonic():
            look(domain, asks or resolver(until - time.monotonic()))


def is_stale(domain: SendingDomain) -> bool:
    return domain.checked_at is None or domain.checked_at < timezone.now() - FRESH


def said(campaign: Campaign, level: str) -> Iterator[str]:
    names = {mailbox.domain for mailbox in judged_mailboxes(campaign)}
    for domain in SendingDomain.objects.filter(account_id=campaign.account_id, name__in=names).order_by(
        "name"
    ):
        for finding in domain.findings:
            if finding["level"] == level:
                yield f"{domain.name}, {finding['check'].upper()}: {finding['advice']}"


def judged_mailboxes(campaign: Campaign) -> list[EmailAccount]:
    """One of each domain. What the operator lets be reached in clear is in house: no public DNS knows it."""
    found: dict[str, EmailAccount] = {}
    for mailbox in campaign.mailboxes.filter(deleted_at=None).order_by("pk"):
        if mailbox.domain not in found and not is_in_house(mailbox):
            found[mailbox.domain] = mailbox
    return list(found.values())


def is_in_house(mailbox: EmailAccount) -> bool:
    if not settings.OUTBOUND_ALLOW:
        return False
    try:
        return outbound.allowed_in_clear(mailbox.smtp_host, mailbox.smtp_port)
    except outbound.OutboundError:
        return False


def recheck() -> dict[str, int]:
    """Housekeeping: every domain once a day, and a row for each that has none yet."""
    with every_account():
        senders = list(EmailAccount.objects.alive().filter(account__suspended_at=None).order_by("pk"))
    looked: set[tuple[int, str]] = set()
    for mailbox in senders:
        key = (mailbox.account_id, mailbox.domain)
        if key in looked or len(looked) >= A_ROUND:
            continue
        with account_scope(mailbox.account_id):
            domain = domain_of(mailbox)
            if is_stale(domain) and not is_in_house(mailbox):
                look(domain)
                looked.add(key)
    return {"domains": len(looked)}
