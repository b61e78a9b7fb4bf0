"""MX: whether the sender's domain can be answered."""

from __future__ import annotations

from outreach.deliverability.findings import Finding
from outreach.deliverability.lookups import Resolver


def check(domain: str, resolver: Resolver) -> Finding:
    hosts = resolver.mx(domain)
    if hosts == ["."]:
        advice = f"{domain} says that it takes no mail, so nobody can answer: give it a real MX record."
        return Finding("mx", "problem", "a null MX", advice)
    if not hosts:
        advice = f"Answers may not arrive: add an MX record at {domain} that names its mail server."
        return Finding("mx", "warning", "no MX record", advice)
    return Finding("mx", "ok", ", ".join(hosts))
