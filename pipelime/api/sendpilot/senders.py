"""Senders: whose name messages go out under, LinkedIn accounts first, then mailboxes."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from outreach.models import EmailAccount, LinkedInAccount
from pipelime.api.sendpilot.ids import id_of
from pipelime.api.sendpilot.resources import SendPilotViewSet
from pipelime.errors import Invalid


class SenderViewSet(SendPilotViewSet):
    subject = "senders"
    what = "Sender"

    def get_queryset(self):
        return LinkedInAccount.objects.alive()

    def list(self, request) -> Response:
        page, limit = self.whole("page", 1), self.limit(50)
        senders = [
            *map(linkedin_sender, LinkedInAccount.objects.alive().order_by("pk")),
            *map(mail_sender, EmailAccount.objects.alive().order_by("pk")),
        ]
        pages = {"total": len(senders), "page": page, "limit": limit, "totalPages": -(-len(senders) // limit)}
        return Response({"senders": senders[(page - 1) * limit : page * limit], "pagination": pages})


def linkedin_sender(account: LinkedInAccount) -> dict[str, Any]:
    return shape(account, account.name, account.profile_url, "linkedin")


def mail_sender(mailbox: EmailAccount) -> dict[str, Any]:
    return shape(mailbox, mailbox.name or mailbox.email, None, "email") | {"email": mailbox.email}


def shape(row: Any, name: str, profile_url: str | None, kind: str) -> dict[str, Any]:
    status = "active" if row.paused_at is None else "paused"
    return {"id": id_of(row), "name": name, "profileUrl": profile_url, "status": status, "type": kind}


def sender_named(view: SendPilotViewSet, text: Any) -> LinkedInAccount:
    """The LinkedIn account that a message goes out from."""
    if not isinstance(text, str) or not text:
        raise Invalid("senderId is required and must be a string", field="senderId")
    return view.row(LinkedInAccount.objects.alive(), text, what="Sender")
