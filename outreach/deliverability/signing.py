"""Signing mail with DKIM (RFC 6376), for those whose own server does not."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import dkim
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from dkim.canonicalization import Relaxed

KEY_BITS = 2048
# Named whether they are there or not: what is named and missing cannot be added on the way. From twice, so
# that no second one can be put above it.
SIGNED = (
    "from", "from", "to", "subject", "date", "message-id", "in-reply-to", "references", "list-unsubscribe",
    "list-unsubscribe-post", "mime-version", "content-type",
)  # fmt: skip
NAMED = ":\r\n ".join(":".join(SIGNED[start : start + 4]) for start in range(0, len(SIGNED), 4))


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose signature mail bears, and the key in PEM that makes it."""

    domain: str
    selector: str
    pem: str

    def __repr__(self) -> str:
        return f"Signer({self.selector}._domainkey.{self.domain})"

    def header(self, mail: bytes, at: datetime) -> bytes:
        """The DKIM-Signature of a whole mail, rsa-sha256 over relaxed/relaxed, with its line end.

        dkimpy says what is hashed; OpenSSL signs it, which is ten times faster than dkimpy's own arithmetic.
        """
        headers, body = dkim.rfc822_parse(mail)
        digest = hashlib.sha256(Relaxed.canonicalize_body(body)).digest()
        value = (
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain};\r\n"
            f" s={self.selector}; t={int(at.timestamp())};\r\n h={NAMED};\r\n"
            f" bh={base64.b64encode(digest).decode()};\r\n b="
        ).encode()
        said = dkim.select_headers(headers, [name.encode() for name in SIGNED])
        lines = Relaxed.canonicalize_headers([*said, (b"DKIM-Signature", value)])
        hashed = b"".join(b"%b:%b" % line for line in lines).removesuffix(b"\r\n")
        signature = private_key(self.pem).sign(hashed, padding.PKCS1v15(), hashes.SHA256())
        encoded = base64.b64encode(signature)
        folded = b"\r\n ".join(encoded[start : start + 72] for start in range(0, len(encoded), 72))
        return b"DKIM-Signature: " + value + folded + b"\r\n"


@lru_cache(maxsize=256)
def private_key(pem: str) -> rsa.RSAPrivateKey:
    """Parsed once: that takes longer than signing."""
    key = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def new_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def record_of(pem: str) -> str:
    """What is published for this key. It fits no single DNS string: providers split it, or take it in one."""
    public = private_key(pem).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
