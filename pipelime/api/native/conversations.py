"""Conversations: what people answer, over mailboxes and LinkedIn alike, and what we answer them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django_filters import CharFilter, UUIDFilter
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from crm.models import Pipeline
from outreach.conversations import (
    Entry,
    assign,
    close,
    make_lead,
    read,
    reopen,
    reply,
    set_intent,
    timeline,
)
from outreach.conversations.marks import read_mark, write_mark
from outreach.models import Conversation, Enrolment
from pipelime.accounts.models import User
from pipelime.api.native.filters import CheckedFilters, FlagFilter, WordsFilter
from pipelime.api.native.inputs import Input, Nothing, RowField
from pipelime.api.native.leads import LeadSerializer
from pipelime.api.native.messages import MessageSerializer
from pipelime.api.native.pages import DEFAULT, MOST, refused, whole_number
from pipelime.api.native.references import ContactRef, LeadRef, UserRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows
from pipelime.api.native.shapes import Computed, Shaped

STATUSES = ("open", "closed", "all")
PAGE = [
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT}),
    OpenApiParameter("cursor", str, description="pagination.next_cursor of the page before: what is older."),
]


def sender(mailbox: UUID | None, email: str, linkedin: UUID | None, name: str) -> dict[str, Any]:
    if mailbox is not None:
        return {"channel": "email", "id": mailbox, "name": email}
    return {"channel": "linkedin", "id": linkedin, "name": name}


def status(closed_at: Any) -> str:
    return "open" if closed_at is None else "closed"


class SenderSerializer(serializers.Serializer):
    """Ours: an e-mail account or a LinkedIn account."""

    channel = serializers.ChoiceField(choices=("email", "linkedin"))
    id = serializers.UUIDField()
    name = serializers.CharField(help_text="Its address, or its name.")


class ConversationSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    sender = Computed(
        sender, "mailbox__uid", "mailbox__email", "linkedin_account__uid", "linkedin_account__name",
        kind=SenderSerializer(),
    )  # fmt: skip
    name = serializers.CharField()
    counterpart = serializers.CharField(help_text="Their address, or their profile.")
    contact = ContactRef(allow_null=True)
    lead = LeadRef(allow_null=True)
    subject = serializers.CharField()
    preview = serializers.CharField(help_text="How the last words begin.")
    status = Computed(status, "closed_at", kind=serializers.ChoiceField(choices=STATUSES[:2]))
    intent = serializers.CharField(
        help_text=f"{', '.join(Enrolment.Intent.values)}, or empty where nobody knows."
    )
    intent_by_hand = serializers.BooleanField(help_text="A person has said so; rules leave it alone.")
    assignee = UserRef(allow_null=True)
    unread = serializers.IntegerField()
    last_is_theirs = serializers.BooleanField()
    last_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class EntrySerializer(serializers.Serializer):
    """One thing that was said. `id` is a message's for what we wrote, else of what came in."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    direction = serializers.ChoiceField(choices=("in", "out"))
    vars()["from"] = serializers.CharField(help_text="Who wrote it.")
    subject = serializers.CharField()
    text = serializers.CharField(help_text="Without what it quotes.")
    html = serializers.CharField(help_text="Of what we wrote in HTML; theirs is never kept.")
    status = serializers.CharField(
        help_text="A message's status, or the kind of what came in, such as reply."
    )


def shown(entry: Entry) -> dict[str, Any]:
    row: Any = entry.incoming or entry.message
    return {
        "id": row.uid,
        "at": entry.at,
        "direction": "in" if entry.is_theirs else "out",
        "from": entry.who,
        "subject": entry.subject,
        "text": entry.text,
        "html": entry.html,
        "status": entry.state,
    }


class ConversationFilter(CheckedFilters):
    assignee = CharFilter(method="of_assignee", label="A user's id, or none.")
    status = CharFilter(method="of_status", label="open (unless said otherwise), closed or all.")
    unread = FlagFilter(method="of_unread", label="Whether anything in it has not been read.")
    intent = WordsFilter(field_name="intent")
    email_account = UUIDFilter(field_name="mailbox__uid")
    linkedin_account = UUIDFilter(field_name="linkedin_account__uid")
    contact = UUIDFilter(field_name="contact__uid")

    def of_assignee(self, rows, name, value):
        if value == "none":
            return rows.filter(assignee=None)
        try:
            return rows.filter(assignee__uid=UUID(value))
        except ValueError:
            raise refused("assignee", f"{value!r} is no user's id; none asks for what is nobody's") from None

    def of_status(self, rows, name, value):
        if value not in STATUSES:
            raise refused("status", f"{value!r} is no status; use {', '.join(STATUSES)}")
        return rows if value == "all" else rows.filter(closed_at__isnull=value == "open")

    def of_unread(self, rows, name, value):
        return rows.unread() if value else rows.filter(unread=0)


class ConversationInput(Input):
    assignee_id = RowField(User.objects.active, "user", required=False, allow_null=True)
    intent = serializers.ChoiceField(
        choices=Enrolment.Intent.choices,
        required=False,
        allow_blank=True,
        help_text="Empty: rules guess again.",
    )


class ReplyInput(Input):
    text = serializers.CharField(trim_whitespace=False)
    html = serializers.CharField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Of a mail; made of the text if left out.",
    )


class ConversationLeadInput(Input):
    pipeline_id = RowField(
        Pipeline.objects.all, "pipeline", source="pipeline", required=False, allow_null=True,
        help_text="Where it begins; the default pipeline if left out.",
    )  # fmt: skip


class ConversationViewSet(Lists, Shows, NativeViewSet):
    """The inbox. Everybody sees a conversation until it is a lead's; then those who see the lead do.

    Without a status the list holds what is open.
    """

    subject = "conversations"
    serializer_class = ConversationSerializer
    input_class = ConversationInput
    inputs = {
        "reply": ReplyInput,
        "close": Nothing,
        "reopen": Nothing,
        "read": Nothing,
        "lead": ConversationLeadInput,
    }
    parameters = {"messages": ("limit", "cursor")}
    filterset_class = ConversationFilter
    orders = {"last_at": "last_at", "created_at": "created_at", "id": "id"}
    default_order = "-last_at"

    def get_queryset(self):
        return Conversation.objects.visible_to(self.caller.user)

    def narrowed(self, rows):
        rows = super().narrowed(rows)
        return rows if self.request.query_params.get("status") else rows.open()

    def partial_update(self, request, id):
        """Give it to somebody, or say what their answers mean."""
        found, given = self.row(), self.body()
        if "assignee_id" in given:
            assign(found, given["assignee_id"], by=self.by)
        if "intent" in given:
            set_intent(found, given["intent"], by=self.by)
        return self.answer(found)

    @extend_schema(parameters=PAGE, responses=EntrySerializer(many=True))
    @action(detail=True)
    def messages(self, request, id):
        """What both sides wrote, the newest at the end. The cursor leads to what is older."""
        found, given = self.row(), request.query_params
        limit = whole_number(given, "limit", DEFAULT, 1, MOST)
        cursor = given.get("cursor", "")
        before = read_mark(cursor) if cursor else None
        if cursor and before is None:
            raise refused("cursor", "is not one that this API gave out; take it from pagination.next_cursor")
        entries = timeline(found, limit=limit + 1, before=before)
        more, page = len(entries) > limit, entries[-limit:]
        pagination = {
            "limit": limit,
            "next_cursor": write_mark(page[0].mark) if more else None,
            "has_more": more,
        }
        return Response({"data": [shown(entry) for entry in page], "pagination": pagination})

    @extend_schema(responses={201: MessageSerializer})
    @action(detail=True, methods=["post"])
    def reply(self, request, id):
        """Answer in the thread, at once. On LinkedIn without a provider it becomes a task for a person."""
        message = reply(self.row(), by=self.by, **self.body())
        return Response(MessageSerializer().to_representation(message), status=201)

    @action(detail=True, methods=["post"])
    def close(self, request, id):
        """Done with, until they write again."""
        found = self.row()
        self.body()
        return self.answer(close(found, by=self.by))

    @action(detail=True, methods=["post"])
    def reopen(self, request, id):
        found = self.row()
        self.body()
        return self.answer(reopen(found, by=self.by))

    @action(detail=True, methods=["post"])
    def read(self, request, id):
        """Somebody has looked at it."""
        found = self.row()
        self.body()
        return self.answer(read(found))

    @extend_schema(responses={201: LeadSerializer})
    @action(detail=True, methods=["post"])
    def lead(self, request, id):
        """Make a lead of it, with its person and what was said. Asked again, the same lead is the answer."""
        lead = make_lead(self.row(), by=self.by, **self.body())
        return Response(LeadSerializer().to_representation(lead), status=201)
