"""Broken links in a campaign's words, looked for when somebody asks: each is a request to a stranger."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable
from urllib.parse import urldefrag

from django.core.cache import cache

from outreach.models import Campaign, SequenceStep
from pipelime import outbound

MOST_LINKS = 10
LINK_SECONDS = 3.0
KEPT_SECONDS = 24 * 3600
FAILED = 400

_URL = re.compile(r"https?://[^\s<>\"'{}]*[^\s<>\"'{}.,;:!?)\]]", re.IGNORECASE)


def broken(campaign: Campaign) -> list[str]:
    """A sentence for each address that does not answer as it should; the first ten are asked."""
    steps = campaign.steps.filter(channel=SequenceStep.Channel.EMAIL)
    texts = [variant["body"] for step in steps for variant in step.variants]
    verdicts = ((url, verdict(url)) for url in static_urls(texts)[:MOST_LINKS])
    return [f"The link {url} {fault}." for url, fault in verdicts if fault]


def static_urls(texts: Iterable[str]) -> list[str]:
    """Addresses that are the same for every contact, each once. One that a placeholder follows is not."""
    found = (
        urldefrag(html.unescape(match[0])).url
        for text in texts
        for match in _URL.finditer(text)
        if not text[match.end() :].startswith("{")
    )
    return list(dict.fromkeys(found))


def verdict(url: str) -> str:
    """What is wrong with the address, or nothing; remembered for a day."""
    key = f"link:{hashlib.sha256(url.encode()).hexdigest()}"
    known: str | None = cache.get(key)
    if known is None:
        known = asked(url)
        cache.set(key, known, KEPT_SECONDS)
    return known


def asked(url: str) -> str:
    try:
        answer = outbound.request("HEAD", url, deadline=LINK_SECONDS)
        if answer.status >= FAILED:  # some servers only know GET
            answer = outbound.request("GET", url, deadline=LINK_SECONDS)
    except outbound.OutboundError as error:
        return f"does not work: {error}"
    return f"answers {answer.status}" if answer.status >= FAILED else ""
