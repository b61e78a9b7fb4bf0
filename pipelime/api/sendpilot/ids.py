"""Ids as the vendor writes them: what kind of thing it is, and our own unique id in hexadecimal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Model

from outreach.models import (
    Campaign,
    ContactSearch,
    Conversation,
    EmailAccount,
    Enrolment,
    Incoming,
    LinkedInAccount,
    Message,
)
from pipelime.accounts.models import Account

PREFIXES: dict[type[Model], str] = {
    Account: "ws_",
    Campaign: "camp_",
    ContactSearch: "search_",
    Conversation: "conv_",
    EmailAccount: "sender_",
    Enrolment: "lead_",
    Incoming: "msg_",
    LinkedInAccount: "sender_",
    Message: "msg_",
}


def id_of(row: Any) -> str:
    return written(type(row), row.uid)


def written(kind: type[Model], uid: UUID | str) -> str:
    return f"{PREFIXES[kind]}{UUID(str(uid)).hex}"


def uid_in(kind: type[Model], text: Any) -> UUID | None:
    """The id behind the vendor's, or None for what names no row of this kind."""
    if not isinstance(text, str) or not text.startswith(PREFIXES[kind]):
        return None
    try:
        return UUID(hex=text.removeprefix(PREFIXES[kind]))
    except ValueError:
        return None
