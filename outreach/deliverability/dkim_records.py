"""DKIM (RFC 6376): whether the key that signs a domain's mail is published, and is ours where we sign."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from outreach.deliverability.findings import Finding, tags
from outreach.deliverability.lookups import Resolver

# Where mail services publish their keys unless told otherwise: there is no way to list selectors.
USUAL = ("google", "selector1", "selector2", "default", "k1", "s1", "s2", "mail", "dkim", "pipelime")
SHORTEST_KEY, LONG_ENOUGH = 1024, 2048


def check(
    domain: str, resolver: Resolver, selector: str = "", own: str = "", *, signs: bool = False
) -> Finding:
    """`own` is the record of the key that we have for the domain; it must be there when we sign."""
    if own and selector:
        return own_key(domain, resolver, selector, own, signs=signs)
    chosen = (selector,) if selector else USUAL
    for name in chosen:
        if found := records(domain, resolver, name):
            return judged(name, found[0])
    where = ", ".join(chosen)
    advice = (
        f"No key is published at {selector}._domainkey.{domain}: copy the record that your mail service shows"
        if selector
        else f"No key is published under the usual selectors ({where}): turn DKIM on at your mail service "
        "and enter the selector that it names"
    )
    return Finding("dkim", "warning", "no DKIM key", f"{advice}, or let mail be signed here.")


def own_key(domain: str, resolver: Resolver, selector: str, own: str, *, signs: bool) -> Finding:
    place = f"{selector}._domainkey.{domain}"
    published = [tags(text).get("p", "").replace(" ", "") for text in records(domain, resolver, selector)]
    if tags(own)["p"] in published:
        return Finding("dkim", "ok", f"our key is published at {place}")
    found = "another key is published" if published else "no DKIM key"
    return Finding("dkim", "problem" if signs else "warning", found, f'Add a TXT record at {place}: "{own}".')


def records(domain: str, resolver: Resolver, selector: str) -> Sequence[str]:
    return [text for text in resolver.txt(f"{selector}._domainkey.{domain}") if "p" in tags(text)]


def judged(selector: str, record: str) -> Finding:
    said, found = tags(record), f"selector {selector}"
    if not said["p"]:
        return Finding(
            "dkim", "warning", f"{found}: revoked", f"The key of {selector} is withdrawn: publish one."
        )
    if said.get("k", "rsa").lower() != "rsa":
        return Finding("dkim", "ok", f"{found}: {said['k']}")
    bits = bits_of(said["p"])
    if not bits:
        return Finding(
            "dkim", "warning", f"{found}: unreadable", "The key cannot be read: copy the record again."
        )
    if bits < LONG_ENOUGH:
        level = "problem" if bits < SHORTEST_KEY else "warning"
        advice = (
            f"The key has {bits} bits; receivers want {LONG_ENOUGH}: have your mail service make a new one."
        )
        return Finding("dkim", level, f"{found}: {bits} bits", advice)  # type: ignore[arg-type]
    return Finding("dkim", "ok", f"{found}: {bits} bits")


def bits_of(encoded: str) -> int:
    """The length of a published RSA key, or 0 when it is none."""
    try:
        key = load_der_public_key(base64.b64decode(encoded.replace(" ", ""), validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return 0
    return key.key_size if isinstance(key, RSAPublicKey) else 0
