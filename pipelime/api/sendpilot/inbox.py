"""The inbox: conversations, their messages, and writing to a lead or to a profile."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework.response import Response

from crm.importing.values import clean_linkedin
from outreach import conversations
from outreach.linkedin.connections import write_to_connection
from outreach.models import Conversation, EmailAccount, Enrolment, LinkedInAccount, Message
from pipelime.api.moments import utc_text
from pipelime.api.sendpilot.ids import id_of, uid_in
from pipelime.api.sendpilot.resources import SendPilotViewSet, text_in
from pipelime.api.sendpilot.senders import sender_named
from pipelime.errors import Invalid, NotFound

LONGEST_MESSAGE = 8000
PLACEHOLDER = re.compile(r"\{\{\s*(firstName|lastName)\s*\}\}")


class ConversationViewSet(SendPilotViewSet):
    subject = "inbox"
    what = "Conversation"

    def get_queryset(self):
        return Conversation.objects.select_related("mailbox", "linkedin_account", "contact")

    def list(self, request) -> Response:
        rows = self.get_queryset()
        if account := request.query_params.get("accountId"):
            rows = rows.filter(of_sender(account))
        found, pagination = self.paged(rows)
        return Response({"conversations": [summary(one) for one in found], "pagination": pagination})

    def paged(self, rows: QuerySet) -> tuple[Sequence[Conversation], dict[str, Any]]:
        """By token, or by number for clients that ask for a page."""
        limit = self.limit(20)
        if "page" in self.request.query_params:
            ids, pages = self.numbered_page(rows, usual=20)
            found = rows.filter(pk__in=ids).order_by("-pk")
            return found, {**pages, "hasMore": pages["page"] < pages["totalPages"]}
        if token := self.request.query_params.get("continuationToken"):
            at, _, pk = position_in(token)
            rows = rows.filter(Q(last_at__lt=at) | Q(last_at=at, pk__lt=pk))
        found = list(rows.order_by("-last_at", "-pk")[: limit + 1])
        more, found = len(found) > limit, found[:limit]
        token = token_of(found[-1].last_at, False, found[-1].pk) if more else None
        return found, {"continuationToken": token, "limit": limit, "hasMore": more}

    def messages(self, request, id: str) -> Response:
        self.row(self.get_queryset(), id)
        if not (account := request.query_params.get("accountId")):
            raise Invalid("accountId is required", field="accountId")
        talk = self.row(self.get_queryset().filter(of_sender(account)), id)
        limit, token = self.limit(50), request.query_params.get("continuationToken")
        before = conversations.Mark(*position_in(token)) if token else None
        found = conversations.timeline(talk, limit=limit + 1, before=before)
        more, found = len(found) > limit, found[-limit:]
        pagination = {"hasMore": more, "continuationToken": token_of(*found[0].mark) if more else None}
        shown = [entry_shape(talk, entry) for entry in found]
        return Response({"conversationId": id_of(talk), "messages": shown, "pagination": pagination})


class SendViewSet(SendPilotViewSet):
    subject = "inbox"
    what = "Lead"

    def get_queryset(self):
        return Enrolment.objects.filter(campaign__deleted_at=None).select_related(
            "contact", "linkedin_account"
        )

    def send(self, request) -> Response:
        """To a lead by its id, or to a profile."""
        given = self.body()
        if "leadId" in given:
            lead = self.row(self.get_queryset(), given["leadId"])
            sender = sender_named(self, given["senderId"]) if given.get("senderId") else usual_sender(lead)
            message = self.write(sender, lead, text_in(given, "message", most=LONGEST_MESSAGE))
            ids = {"leadId": id_of(lead), "senderId": id_of(sender), "sentAt": utc_text(message.created_at)}
            return Response({"success": True, "messageId": id_of(message), **ids}, status=201)
        sender, profile = sender_named(self, given.get("senderId")), profile_in(given)
        text = text_in(given, "message", most=LONGEST_MESSAGE)
        message = write_to_connection(sender, profile, text, by=self.by)
        return Response(sent(message, recipientLinkedinUrl=given["recipientLinkedinUrl"]), status=201)

    def send_to_lead(self, request, id: str) -> Response:
        lead, given = self.row(self.get_queryset(), id), self.body()
        sender = sender_named(self, given.get("senderId"))
        message = self.write(sender, lead, text_in(given, "message", most=LONGEST_MESSAGE))
        profile = {"recipientLinkedinUrl": lead.contact.linkedin_url, "leadId": id_of(lead)}
        return Response(sent(message, **profile), status=201)

    def write(self, sender: LinkedInAccount, lead: Enrolment, text: str) -> Message:
        if not lead.contact.linkedin_url:
            raise Invalid("This lead has no LinkedIn profile to write to", field="leadId")
        names = {"firstName": lead.contact.first_name, "lastName": lead.contact.last_name}
        text = PLACEHOLDER.sub(lambda found: names[found[1]], text)
        return write_to_connection(sender, lead.contact.linkedin_url, text, by=self.by, enrolment=lead)


def usual_sender(lead: Enrolment) -> LinkedInAccount:
    """Whoever has written to the lead, else the first account of its campaign."""
    accounts = LinkedInAccount.objects.alive().filter(campaigns=lead.campaign_id).order_by("pk")
    sender = lead.linkedin_account or accounts.first()
    if sender is None:
        raise Invalid(
            "No sender could be selected: this lead's campaign has no LinkedIn account", field="senderId"
        )
    return sender


def profile_in(given: dict[str, Any]) -> str:
    try:
        return clean_linkedin(text_in(given, "recipientLinkedinUrl", most=500))
    except ValueError as error:
        raise Invalid(f"recipientLinkedinUrl: {error}", field="recipientLinkedinUrl") from None


def sent(message: Message, **about: Any) -> dict[str, Any]:
    """ "sent" says that it will go out, once and from here on by itself; message.sent tells when it has."""
    head = {"success": True, "messageId": id_of(message)}
    return {**head, **about, "status": "sent", "timestamp": utc_text(timezone.now())}


def of_sender(text: str) -> Q:
    """Conversations of the sender whose id this is, a LinkedIn account or a mailbox."""
    uid = uid_in(LinkedInAccount, text)
    if uid is None:
        raise NotFound("Sender not found")
    mailbox = EmailAccount.objects.alive().filter(uid=uid).values("pk")
    account = LinkedInAccount.objects.alive().filter(uid=uid).values("pk")
    return Q(mailbox__in=mailbox) | Q(linkedin_account__in=account)


def token_of(at: datetime, is_theirs: bool, pk: int) -> str:
    return base64.b64encode(orjson.dumps({"continuation": [at.isoformat(), is_theirs, pk]})).decode()


def position_in(token: str) -> tuple[datetime, bool, int]:
    """When, whose and which the last one shown was."""
    try:
        moment, is_theirs, pk = orjson.loads(base64.b64decode(token, validate=True))["continuation"]
        return datetime.fromisoformat(moment).astimezone(UTC), bool(is_theirs), int(pk)
    except (ValueError, KeyError, TypeError, OverflowError, OSError, binascii.Error):
        raise Invalid("continuationToken is invalid; send it as the last answer gave it") from None


def summary(talk: Conversation) -> dict[str, Any]:
    return {
        "id": id_of(talk),
        "accountId": id_of(talk.sender),
        "participants": [{**counterpart(talk), "profilePicture": None}],
        "lastMessage": {
            "content": talk.preview,
            "sentAt": utc_text(talk.last_at),
            "direction": "received" if talk.last_is_theirs else "sent",
        },
        "lastActivityAt": utc_text(talk.last_at),
        "unreadCount": talk.unread,
        "createdAt": utc_text(talk.created_at),
        "updatedAt": utc_text(talk.updated_at),
    }


def counterpart(talk: Conversation) -> dict[str, Any]:
    url = (
        talk.counterpart if talk.linkedin_account_id else (talk.contact.linkedin_url if talk.contact else "")
    )
    return {
        "id": talk.counterpart.rpartition("/")[2],
        "name": talk.name or talk.counterpart,
        "profileUrl": url or None,
    }


def our_side(talk: Conversation) -> dict[str, Any]:
    sender = talk.sender
    if isinstance(sender, LinkedInAccount):
        return {
            "id": sender.profile_url.rpartition("/")[2],
            "name": sender.name,
            "profileUrl": sender.profile_url,
        }
    return {"id": sender.email, "name": sender.name or sender.email, "profileUrl": None}


def entry_shape(talk: Conversation, entry: Any) -> dict[str, Any]:
    ours, theirs = our_side(talk), counterpart(talk)
    return {
        "id": id_of(entry.incoming or entry.message),
        "content": entry.text,
        "sender": theirs if entry.is_theirs else ours,
        "recipient": ours if entry.is_theirs else theirs,
        "direction": "received" if entry.is_theirs else "sent",
        "sentAt": utc_text(entry.at),
        "readStatus": "unread" if entry.is_theirs and talk.unread else "read",
        "contentType": "TEXT",
    }
