"""Unsubscribing, by link or by mail: signed tokens that carry all they need, and what using one does."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from outreach.models import Message
from pipelime.errors import NotFound
from pipelime.scope import account_scope, every_account

SALT = "outreach.unsubscribing"
SIGNATURE_BYTES = 12


def token_for(message_uid: UUID) -> str:
    """The message's uid and a signature of it, 38 characters that stand for nothing else."""
    raw = message_uid.bytes + signature(message_uid)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signature(message_uid: UUID) -> bytes:
    return salted_hmac(SALT, message_uid.hex, algorithm="sha256").digest()[:SIGNATURE_BYTES]


def unsubscribe_url(message: Message) -> str:
    return f"{settings.PIPELIME_PUBLIC_URL}/u/{token_for(message.uid)}"


def message_of(token: str) -> Message:
    """The message whose mail carried this token; NotFound for anything that we did not sign."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        uid = UUID(bytes=raw[:16])
    except (ValueError, binascii.Error):
        raise NotFound("This unsubscribe address is not complete") from None
    if not constant_time_compare(raw[16:], signature(uid)) or token_for(uid) != token:
        raise NotFound("This unsubscribe address was not made here")
    with every_account():
        message = Message.objects.select_related("account", "campaign").filter(uid=uid).first()
    if message is None:
        raise NotFound("This unsubscribe address is no longer known")
    return message


def unsubscribe(token: str) -> Message:
    """Never write to this address again. Asking twice changes nothing."""
    from outreach.blocking import suppress  # blocking stops enrolments, whose letters carry our addresses

    message = message_of(token)
    with account_scope(message.account_id), transaction.atomic():
        suppress(
            message.account_id,
            message.to_address,
            cause="unsubscribed",
            source=f"the link in a mail of {message.campaign_name}",
        )
        asked_now = Message.objects.filter(pk=message.pk, unsubscribed_at=None)
        asked_now.update(unsubscribed_at=timezone.now())
    return message
