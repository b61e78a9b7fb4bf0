"""DMARC (RFC 7489): what receivers shall do with mail that is not provably the domain's."""

from __future__ import annotations

from outreach.deliverability.findings import Finding, tags
from outreach.deliverability.lookups import Resolver

POLICIES = ("none", "quarantine", "reject")


def check(domain: str, resolver: Resolver) -> Finding:
    place, found = nearest(domain, resolver)
    if not found:
        advice = f'Add a TXT record at _dmarc.{domain}: "v=DMARC1; p=none; rua=mailto:postmaster@{domain}".'
        return Finding("dmarc", "problem", "no DMARC record", advice)
    if len(found) > 1:
        advice = f"_dmarc.{place} has {len(found)} DMARC records, so that none counts: keep one."
        return Finding("dmarc", "problem", " | ".join(found), advice)
    said = tags(found[0])
    policy = said.get("p", "") if place == domain else said.get("sp", said.get("p", ""))
    if policy.lower() not in POLICIES:
        advice = f'The record at _dmarc.{place} has no policy that counts: write "p=none", or a stricter one.'
        return Finding("dmarc", "problem", found[0], advice)
    return Finding("dmarc", "ok", f"{found[0]} ({alignment(said)})")


def nearest(domain: str, resolver: Resolver) -> tuple[str, list[str]]:
    """The records of the domain, or of the one above it; a top-level domain is nobody's parent."""
    parent = domain.partition(".")[2]
    for place in (domain, parent) if "." in parent else (domain,):
        if found := [text for text in resolver.txt(f"_dmarc.{place}") if is_record(text)]:
            return place, found
    return domain, []


def is_record(text: str) -> bool:
    return text.replace(" ", "").lower().startswith("v=dmarc1")


def alignment(said: dict[str, str]) -> str:
    """Ours is always exact: envelope, signature and From name the same domain."""
    strict = [name for tag, name in (("aspf", "SPF"), ("adkim", "DKIM")) if said.get(tag, "").lower() == "s"]
    return f"strict alignment of {' and '.join(strict)}" if strict else "relaxed alignment"
