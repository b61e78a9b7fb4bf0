"""Messages: the ledger of every mail, from plan to outcome, and settling the ones nobody is sure of."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django_filters import CharFilter, UUIDFilter
from rest_framework import serializers
from rest_framework.decorators import action

from outreach import direct
from outreach.models import Message
from outreach.settling import settle
from pipelime.api.native.filters import CheckedFilters, MomentFilter, WordsFilter
from pipelime.api.native.inputs import Input, Nothing
from pipelime.api.native.resources import Lists, NativeViewSet, Shows
from pipelime.api.native.shapes import Computed, Shaped

OUTCOMES = ("arrived", "send_again")


def campaign(uid: UUID | None, name: str) -> dict[str, Any]:
    return {"id": uid, "name": name}


def mailbox(uid: UUID | None, email: str) -> dict[str, Any]:
    return {"id": uid, "email": email}


class CampaignOfMessage(serializers.Serializer):
    """The name as it was; the id is null once the campaign is gone."""

    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()


class MailboxOfMessage(serializers.Serializer):
    id = serializers.UUIDField(allow_null=True)
    email = serializers.CharField()


class MessageSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    status = serializers.ChoiceField(choices=Message.State.choices, source="state")
    channel = serializers.ChoiceField(choices=Message.Channel.choices)
    campaign = Computed(campaign, "campaign__uid", "campaign_name", kind=CampaignOfMessage())
    email_account = Computed(mailbox, "mailbox__uid", "from_address", kind=MailboxOfMessage())
    contact_id = serializers.UUIDField(source="contact_uid", allow_null=True)
    lead_id = serializers.UUIDField(source="lead.uid", allow_null=True, help_text="Of a mail to one lead.")
    template = serializers.CharField(source="template_name", help_text="What a mail to a lead was made from.")
    step = serializers.IntegerField(source="step_number", help_text="0 of a mail to one lead.")
    variant = serializers.CharField()
    vars()["from"] = serializers.CharField(source="from_address")
    to = serializers.CharField(source="to_address")
    name = serializers.CharField(source="to_name")
    subject = serializers.CharField()
    message_id = serializers.CharField()
    attempts = serializers.IntegerField()
    error = serializers.CharField(source="last_error")
    due_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    replied_at = serializers.DateTimeField(allow_null=True)
    bounced_at = serializers.DateTimeField(allow_null=True)
    complained_at = serializers.DateTimeField(allow_null=True)
    unsubscribed_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class MessageFilter(CheckedFilters):
    status = WordsFilter(field_name="state")
    campaign = UUIDFilter(field_name="campaign__uid")
    email_account = UUIDFilter(field_name="mailbox__uid")
    contact = UUIDFilter(field_name="contact_uid")
    lead = UUIDFilter(field_name="lead__uid")
    to = CharFilter(field_name="to_address")
    sent_after = MomentFilter(field_name="sent_at", lookup_expr="gte")
    sent_before = MomentFilter(field_name="sent_at", lookup_expr="lt")


class SettleInput(Input):
    outcome = serializers.ChoiceField(
        choices=OUTCOMES,
        help_text="It arrived after all, or it is to be sent again.",
        error_messages={"invalid_choice": f"'{{input}}' is no outcome; use {' or '.join(OUTCOMES)}"},
    )


class MessageViewSet(Lists, Shows, NativeViewSet):
    """Mails of campaigns, and to single leads.

    One whose fate is unknown is `ambiguous`, and is never sent again by itself.
    """

    subject = "messages"
    serializer_class = MessageSerializer
    inputs = {"settle": SettleInput, "cancel": Nothing}
    filterset_class = MessageFilter
    orders = {"id": "id", "created_at": "created_at", "sent_at": "sent_at"}

    def get_queryset(self):
        return Message.objects.visible_to(self.caller.user)

    @action(detail=True, methods=["post"])
    def settle(self, request, id):
        """Say what became of an ambiguous message."""
        return self.answer(settle(self.row(), by=self.by, **self.body()))

    @action(detail=True, methods=["post"])
    def cancel(self, request, id):
        """Withdraw a mail to a lead that is still queued, in a paused mailbox for instance."""
        found = self.row()
        self.body()
        return self.answer(direct.withdraw(found, by=self.by))
