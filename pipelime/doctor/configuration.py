"""The settings: keys, addresses, hosts, mail, what may be reached."""

from __future__ import annotations

import os
import smtplib
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

from pipelime.accounts.notices import NoMailServer, mail_server
from pipelime.doctor.verdicts import Verdict, failure, ok, warning
from pipelime.outbound.addresses import allowed_entries

SHORTEST_SECRET = 32
MAIL_TIMEOUT = 5
WIDE = {4: 8, 6: 32}  # a network of fewer bits is a mistake rather than somebody's hosts


def secrets() -> Iterator[Verdict]:
    length = len(settings.SECRET_KEY)
    if length < SHORTEST_SECRET:
        yield failure(f"SECRET_KEY has {length} characters: use at least {SHORTEST_SECRET} random ones.")
    else:
        yield ok(f"SECRET_KEY is set and has {length} characters.")
    keys = list(settings.PIPELIME_KEYS)
    if any(len(set(key)) == 1 for key in settings.PIPELIME_KEYS.values()):
        yield failure(
            "PIPELIME_KEYS holds a key of one repeated byte: make a random one, see docs/operators.md."
        )
    elif len(keys) > 1:
        yield warning(
            f"PIPELIME_KEYS holds {len(keys)} keys: run bin/manage rotate_keys, then keep {keys[0]!r} only."
        )
    else:
        yield ok(f"PIPELIME_KEYS holds the key {keys[0]!r} of 256 bits.")
    yield from secret_files()


def secret_files() -> Iterator[Verdict]:
    for name in ("SECRET_KEY_FILE", "PIPELIME_KEYS_FILE", "PIPELIME_SUPPRESSION_KEY_FILE"):
        path = os.environ.get(name)
        if path and Path(path).stat().st_mode & 0o077:
            yield warning(f"{name}={path} may be read by other users: chmod 600 it.")


def debug() -> Iterator[Verdict]:
    if not settings.DEBUG:
        yield ok("PIPELIME_DEBUG is off.")
    elif is_local(settings.PIPELIME_URL):
        yield warning("PIPELIME_DEBUG is on: error pages show code and settings; never on a public address.")
    else:
        yield failure(
            "PIPELIME_DEBUG is on at a public address: unset it, error pages show code and settings."
        )


def addresses() -> Iterator[Verdict]:
    for name in ("PIPELIME_URL", "PIPELIME_PUBLIC_URL"):
        url = getattr(settings, name)
        if name == "PIPELIME_PUBLIC_URL" and url == settings.PIPELIME_URL:
            continue
        yield address(name, url)


def address(name: str, url: str) -> Verdict:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return failure(f"{name}={url!r} is no address: write it as https://crm.example.com.")
    if parts.scheme == "https":
        return ok(f"{name} is {url}.")
    who = "recipients cannot reach this machine's own address" if is_local(url) else "logins travel in clear"
    return warning(
        f"{name} is {url}: mail programs offer one-click unsubscribe over https only, and {who}; "
        "before real mail goes out, put a TLS proxy in front and set https."
    )


def is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hosts() -> Iterator[Verdict]:
    host = urlsplit(settings.PIPELIME_URL).hostname or ""
    if not validate_host(host, settings.ALLOWED_HOSTS):
        yield failure(f"ALLOWED_HOSTS lacks {host!r}, the host of PIPELIME_URL: every page would answer 400.")
    elif "*" in settings.ALLOWED_HOSTS and not is_local(settings.PIPELIME_URL):
        yield warning(f"ALLOWED_HOSTS is '*': set it to {host!r}, so that forged Host headers are refused.")
    else:
        yield ok(f"ALLOWED_HOSTS lets {host!r} in.")
    public = urlsplit(settings.PIPELIME_PUBLIC_URL).hostname or ""
    elsewhere = public != host and not is_local(settings.PIPELIME_PUBLIC_URL)
    if elsewhere and not validate_host(public, settings.ALLOWED_HOSTS):
        yield failure(f"ALLOWED_HOSTS lacks {public!r}, the host of PIPELIME_PUBLIC_URL: nobody could leave.")
    for name, entries in (
        ("TRUSTED_PROXIES", settings.TRUSTED_PROXIES),
        ("PIPELIME_METRICS_ALLOW", settings.METRICS_ALLOW),
    ):
        yield from networks(name, entries)


def networks(name: str, entries: list[str]) -> Iterator[Verdict]:
    for entry in entries:
        try:
            network = ip_network(entry, strict=False)
        except ValueError:
            yield failure(f"{name}: {entry!r} is neither an address nor a CIDR, such as 10.0.0.0/8.")
            continue
        if network.prefixlen < WIDE[network.version]:
            yield warning(f"{name} holds {entry}, nearly the whole internet: name the hosts that are meant.")


def outbound() -> Iterator[Verdict]:
    """What may be reached in clear and without being public."""
    try:
        entries = allowed_entries(tuple(settings.OUTBOUND_ALLOW))
    except ImproperlyConfigured as error:
        yield failure(f"{error}.")
        return
    wide = [str(entry.network) for entry in entries if entry.network.prefixlen < WIDE[entry.network.version]]
    if wide:
        yield failure(
            f"PIPELIME_OUTBOUND_ALLOW holds {', '.join(wide)}: every user could reach hosts behind "
            "the firewall; name single hosts."
        )
    elif entries:
        yield ok(
            f"{', '.join(settings.OUTBOUND_ALLOW)} may be reached in clear, otherwise public hosts only."
        )
    else:
        yield ok("Webhooks and mail reach public hosts only, with TLS.")


def system_mail() -> Iterator[Verdict]:
    try:
        server = mail_server()
    except (NoMailServer, ImproperlyConfigured) as error:
        yield failure(f"Invitations and password resets cannot be mailed ({error}): set PIPELIME_MAIL_URL.")
        return
    where = f"{server.host}:{server.port}"
    connection = server.connection()
    connection.timeout = MAIL_TIMEOUT
    try:
        connection.open()
        connection.close()
    except (OSError, smtplib.SMTPException) as error:
        yield failure(
            f"The mail server {where} does not take mail ({error}): start it or correct PIPELIME_MAIL_URL."
        )
        return
    if settings.PIPELIME_MAIL_URL:
        yield ok(f"Invitations and password resets go through {where}.")
    else:
        yield warning(
            f"PIPELIME_MAIL_URL is not set: invitations and password resets stay in the local sink {where}, "
            "readable in the browser, and reach nobody."
        )
