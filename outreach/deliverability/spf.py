"""SPF (RFC 7208): which servers may send for a domain, read and counted as receivers do."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from outreach.deliverability.findings import Finding
from outreach.deliverability.lookups import Resolver

MOST_LOOKUPS = 10  # receivers give up after these, and then nobody is authorised
# Hosts that many mailboxes send through, and what their documentation has one include.
INCLUDES = {
    "gmail.com": "_spf.google.com",
    "google.com": "_spf.google.com",
    "office365.com": "spf.protection.outlook.com",
    "outlook.com": "spf.protection.outlook.com",
    "zoho.com": "zoho.com",
    "zoho.eu": "zoho.eu",
    "ionos.de": "_spf-eu.ionos.com",
    "ovh.net": "mx.ovh.com",
    "infomaniak.com": "spf.infomaniak.ch",
    "gandi.net": "_mailcust.gandi.net",
    "amazonaws.com": "amazonses.com",
}
WITH_LOOKUP = ("include", "a", "mx", "ptr", "exists")

_NAME = r"[A-Za-z0-9_.%{}+/=,-]+"
_TERM = re.compile(
    rf"(?P<sign>[+?~-]?)(?P<kind>all|ip4:[0-9./]+|ip6:[0-9A-Fa-f:./]+|include:{_NAME}|exists:{_NAME}"
    rf"|(?:a|mx)(?::{_NAME})?(?:/[0-9/]+)?|ptr(?::{_NAME})?)",
    re.IGNORECASE,
)
_MODIFIER = re.compile(rf"(?P<name>[A-Za-z][A-Za-z0-9_.-]*)=(?P<value>{_NAME}|)")


class Broken(Exception):
    """Receivers cannot use the record; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    """`names` are what it refers to; `lookups` those of its own terms; `all` the sign before "all"."""

    names: tuple[str, ...]
    lookups: int
    all: str


def check(domain: str, resolver: Resolver, hosts: Collection[str] = ()) -> Finding:
    """`hosts` are the servers that mailboxes of the domain send through."""
    found = records(domain, resolver)
    if not found:
        advice = f'Add a TXT record at {domain}: "v=spf1 {senders(hosts)} ~all".'
        return Finding("spf", "problem", "no SPF record", advice)
    if len(found) > 1:
        advice = (
            f"{domain} has {len(found)} SPF records, so that none counts: merge them into one TXT record."
        )
        return Finding("spf", "problem", " | ".join(found), advice)
    try:
        count = lookups(domain, resolver, ())
        ending = parsed(found[0]).all
    except Broken as fault:
        return Finding("spf", "problem", found[0], str(fault))
    if count > MOST_LOOKUPS:
        advice = (
            f"Reading this record takes {count} look-ups or more, and receivers stop at {MOST_LOOKUPS}: "
            "remove an include that you no longer send through."
        )
        return Finding("spf", "problem", found[0], advice)
    return judged(found[0], ending)


def judged(record: str, ending: str) -> Finding:
    match ending:
        case "+":
            advice = 'The record lets the whole world send in your name: end it with "~all" or "-all".'
            return Finding("spf", "problem", record, advice)
        case "?" | "":
            advice = 'The record does not say what to think of other servers: end it with "~all" or "-all".'
            return Finding("spf", "warning", record, advice)
    return Finding("spf", "ok", record)


def senders(hosts: Collection[str]) -> str:
    """The mechanisms that authorise these servers, as far as they are known; else the domain's own MX."""
    known = [
        f"include:{include}"
        for ending, include in INCLUDES.items()
        if any(host == ending or host.endswith(f".{ending}") for host in hosts)
    ]
    return " ".join(dict.fromkeys(known)) or " ".join(f"a:{host}" for host in sorted(hosts)) or "mx"


def records(domain: str, resolver: Resolver) -> list[str]:
    return [text for text in resolver.txt(domain) if re.match(r"v=spf1( |$)", text, re.IGNORECASE)]


def parsed(record: str) -> Record:
    names: list[str] = []
    count, ending, redirect = 0, "", ""
    for term in record.split()[1:]:
        if mechanism := _TERM.fullmatch(term):
            kind, _, value = mechanism["kind"].partition(":")
            kind = kind.partition("/")[0].lower()
            count += kind in WITH_LOOKUP
            if kind == "include":
                names.append(value)
            elif kind == "all":
                ending = mechanism["sign"] or "+"
        elif modifier := _MODIFIER.fullmatch(term):
            redirect = modifier["value"] if modifier["name"].lower() == "redirect" else redirect
        else:
            raise Broken(f'"{term}" is not SPF, so receivers ignore the whole record: correct or remove it.')
    if redirect and not ending:  # "all" wins over it
        return Record((*names, redirect), count + 1, "~")
    return Record(tuple(names), count, ending)


def lookups(domain: str, resolver: Resolver, above: tuple[str, ...]) -> int:
    """How many questions a receiver asks to read the record of `domain` and all that it refers to."""
    if domain in above:
        raise Broken(f"The record refers back to {domain} and never ends: remove that include.")
    found = records(domain, resolver)
    if len(found) != 1:
        number = len(found) or "no"
        raise Broken(f"It includes {domain}, which has {number} SPF records: remove or correct that.")
    record = parsed(found[0])
    count = record.lookups
    for name in record.names:
        if count + len(above) > MOST_LOOKUPS:
            break
        if "%" not in name:  # a macro's name is known only when a mail is judged
            count += lookups(name.lower().rstrip("."), resolver, (*above, domain))
    return count
