"""Signatures by Standard Webhooks v1, which receivers check with any of its libraries."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import datetime

from webhooks.models import Delivery, Endpoint

PREFIX = "whsec_"
KEY_BYTES = 32
SHORTEST, LONGEST = 24, 64


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes behind a `whsec_` text."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"A secret is {PREFIX} and the base64 of {SHORTEST} to {LONGEST} random bytes")
    return key


def signature(key: bytes, webhook_id: str, timestamp: int, body: bytes) -> str:
    digest = hmac.digest(key, b"%s.%d.%s" % (webhook_id.encode(), timestamp, body), hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


class Signer:
    """Signs for one endpoint. Its secrets are decrypted once and never shown."""

    def __init__(self, endpoint: Endpoint):
        self._key = key_of(endpoint.secret)
        self._old_until = endpoint.old_secret_until
        self._old_key = key_of(endpoint.old_secret) if endpoint.old_secret and self._old_until else None

    def request(self, delivery: Delivery, at: datetime) -> tuple[dict[str, str], bytes]:
        """Every attempt sends the same bytes."""
        body = delivery.body.encode()
        return self.headers(delivery.webhook_id, body, at), body

    def headers(self, webhook_id: str, body: bytes, now: datetime) -> dict[str, str]:
        """What one attempt carries; while the old secret is valid, a signature by each."""
        timestamp = int(now.timestamp())
        signatures = [signature(key, webhook_id, timestamp, body) for key in self._keys(now)]
        return {
            "content-type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signatures),
        }

    def _keys(self, now: datetime) -> list[bytes]:
        if self._old_key is not None and self._old_until is not None and now < self._old_until:
            return [self._key, self._old_key]
        return [self._key]
