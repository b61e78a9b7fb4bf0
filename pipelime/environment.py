"""Typed reads of the environment. A bad value stops the start with a sentence that says what would work."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def boolean(name: str, *, default: bool) -> bool:
    raw = os.environ.get(name, "").strip().lower()
    if raw in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return raw in ("1", "true", "yes", "on") if raw else default
    raise ImproperlyConfigured(f"{name}={raw!r} is neither true nor false: use 1 or 0")


def integer(name: str, *, default: int) -> int:
    raw = os.environ.get(name, "")
    try:
        return int(raw) if raw else default
    except ValueError:
        raise ImproperlyConfigured(f"{name}={raw!r} is not a whole number") from None


def listing(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def secret(name: str) -> str:
    """NAME, or the content of the file that NAME_FILE points to, as container secrets are mounted."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE={path!r} cannot be read: {error.strerror}") from None
    if value := os.environ.get(name):
        return value
    raise ImproperlyConfigured(
        f"{name} is not set. bin/up makes one; elsewhere set {name}, or {name}_FILE to a file that holds it"
    )


def secrets(name: str) -> list[str]:
    """The same, comma-separated; none where it is not set."""
    if not (os.environ.get(name) or os.environ.get(f"{name}_FILE")):
        return []
    return [part.strip() for part in secret(name).split(",") if part.strip()]


def encryption_keys(name: str) -> dict[str, bytes]:
    """`id:base64url(32 bytes)`, comma-separated; the first key encrypts, all of them decrypt."""
    keys = {}
    for number, entry in enumerate(secret(name).split(","), start=1):
        key_id, _, encoded = entry.strip().partition(":")
        try:
            key = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except ValueError:
            key = b""
        if not key_id or len(key) != 32:
            # By its number: whoever forgot the colon has put the key itself where its id belongs.
            raise ImproperlyConfigured(
                f"{name}: key {number} must be an id, a colon and 32 bytes in base64url, such as k1:…"
            )
        keys[key_id] = key
    return keys
