"""E-mail accounts: the mailboxes that campaigns send from. Their passwords go in and never come back."""

from __future__ import annotations

from datetime import date
from typing import Any

from django_filters import CharFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from outreach.mailbox_settings import check, set_server
from outreach.mailboxes import (
    create_mailbox,
    delete_mailbox,
    pause_mailbox,
    resume_mailbox,
    update_mailbox,
)
from outreach.models import EmailAccount
from outreach.trying import test_mailbox
from pipelime.accounts.models import User
from pipelime.api.http import WRITES
from pipelime.api.native.filters import AgeFilters, FlagFilter
from pipelime.api.native.inputs import Input, Nothing, RowField
from pipelime.api.native.references import UserRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Computed, Shaped

SMTP = ("smtp_host", "smtp_port", "smtp_security", "smtp_username")
IMAP = ("imap_host", "imap_port", "imap_security", "imap_username")


def server(host: str, port: int, security: str, username: str) -> dict[str, Any] | None:
    return {"host": host, "port": port, "security": security, "username": username} if host else None


def ramp_up(first: int | None, by: int, on: date | None) -> dict[str, Any] | None:
    return None if first is None else {"from": first, "by": by, "on": on.isoformat() if on else None}


class ServerSerializer(serializers.Serializer):
    host = serializers.CharField()
    port = serializers.IntegerField()
    security = serializers.ChoiceField(choices=EmailAccount.Security.choices)
    username = serializers.CharField()


class RampUpSerializer(serializers.Serializer):
    vars()["from"] = serializers.IntegerField(help_text="Mails on the first day.")
    by = serializers.IntegerField(help_text="So many more each day, up to the daily limit.")
    on = serializers.DateField(help_text="The first day.")


class EmailAccountSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    email = serializers.EmailField()
    name = serializers.CharField()
    owner = UserRef(allow_null=True)
    login = serializers.ChoiceField(choices=EmailAccount.Login.choices)
    smtp = Computed(server, *SMTP, kind=ServerSerializer())
    imap = Computed(server, *IMAP, kind=ServerSerializer(allow_null=True))
    daily_limit = serializers.IntegerField()
    gap_seconds = serializers.IntegerField(help_text="Between two mails, at least; 0: as many as are due.")
    gap_jitter_seconds = serializers.IntegerField(help_text="Up to so many seconds more, by chance.")
    ramp_up = Computed(
        ramp_up, "ramp_up_from", "ramp_up_by", "ramp_up_on", kind=RampUpSerializer(allow_null=True)
    )
    signature = serializers.CharField()
    time_zone = serializers.CharField(help_text="Empty: the account's.")
    is_paused = Computed(bool, "paused_at", kind=serializers.BooleanField())
    pause_reason = serializers.CharField()
    paused_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ServerInput(Input):
    host = serializers.CharField(max_length=253, required=False)
    port = serializers.IntegerField(
        required=False, help_text="587 for SMTP and 993 for IMAP unless said otherwise."
    )
    security = serializers.ChoiceField(choices=EmailAccount.Security.choices, required=False)
    username = serializers.CharField(max_length=254, required=False, allow_blank=True)
    password = serializers.CharField(
        max_length=1000, required=False, allow_blank=True, trim_whitespace=False, write_only=True
    )


class RampUpInput(Input):
    vars()["from"] = serializers.IntegerField(required=False)
    by = serializers.IntegerField(required=False)
    on = serializers.DateField(required=False, help_text="Today unless said otherwise.")


class ChangesInput(Input):
    name = serializers.CharField(
        max_length=150, required=False, allow_blank=True, help_text="The sender's name."
    )
    owner_id = RowField(
        User.objects.active,
        "user",
        source="owner",
        required=False,
        allow_null=True,
        help_text="Whose leads are written to from here. Else of whoever logs in with its address.",
    )
    smtp = ServerInput(required=False, help_text="A password left out is kept.")
    imap = ServerInput(required=False, allow_null=True)
    daily_limit = serializers.IntegerField(required=False)
    gap_seconds = serializers.IntegerField(required=False)
    gap_jitter_seconds = serializers.IntegerField(required=False)
    ramp_up = RampUpInput(required=False, allow_null=True, help_text="Parts left out are kept.")
    signature = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    time_zone = serializers.CharField(max_length=64, required=False, allow_blank=True)


class EmailAccountInput(ChangesInput):
    """At Google and Microsoft the servers are theirs: leave `smtp` and `imap` out."""

    email = serializers.CharField(max_length=254)
    login = serializers.ChoiceField(choices=EmailAccount.Login.choices, required=False)
    refresh_token = serializers.CharField(
        max_length=10_000,
        required=False,
        write_only=True,
        help_text="Of OAuth 2, given to the operator's client at the provider. It is stored encrypted and "
        "never shown.",
    )
    smtp = ServerInput(required=False, help_text="Required for a log-in by password.")


class ServersInput(Input):
    email = serializers.CharField(max_length=254, required=False)
    smtp = ServerInput()
    imap = ServerInput(required=False, allow_null=True)


class PauseInput(Input):
    reason = serializers.CharField(max_length=500, required=False)


class OutcomeSerializer(serializers.Serializer):
    ok = serializers.BooleanField()
    detail = serializers.CharField(help_text="The server's own words.")


class TrialSerializer(serializers.Serializer):
    ok = serializers.BooleanField()
    smtp = OutcomeSerializer()
    imap = OutcomeSerializer(allow_null=True)


class EmailAccountFilter(AgeFilters):
    email = CharFilter(field_name="email", lookup_expr="iexact")
    is_paused = FlagFilter(field_name="paused_at", lookup_expr="isnull", exclude=True)


class EmailAccountViewSet(Lists, Shows, NativeViewSet):
    """The mailboxes that campaigns send from."""

    subject = "email-accounts"
    what = "e-mail account"
    admin_methods = WRITES
    serializer_class = EmailAccountSerializer
    input_class = EmailAccountInput
    inputs = {
        "partial_update": ChangesInput,
        "test": Nothing,
        "try_servers": ServersInput,
        "pause": PauseInput,
        "resume": Nothing,
    }
    filterset_class = EmailAccountFilter
    orders = {"id": "id", "email": "email", "created_at": "created_at"}

    def get_queryset(self):
        return EmailAccount.objects.alive()

    def create(self, request):
        return self.created(create_mailbox(self.account, by=self.by, **self.body()))

    def partial_update(self, request, id):
        return self.answer(update_mailbox(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        """It sends nothing more and its passwords are forgotten; what it has sent stays on record."""
        delete_mailbox(self.row(), by=self.by)
        return gone()

    @extend_schema(responses=TrialSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request, id):
        """Log in to its servers now, and hear their own words."""
        found = self.row()
        self.body()
        return Response(test_mailbox(found))

    @extend_schema(operation_id="email_accounts_try", responses=TrialSerializer)
    @action(detail=False, methods=["post"], url_path="test")
    def try_servers(self, request):
        """Log in to servers that are not connected yet; nothing is stored."""
        given = self.body()
        mailbox = EmailAccount(account=self.account, email=given.get("email", ""))
        set_server(mailbox, "smtp", given["smtp"])
        set_server(mailbox, "imap", given.get("imap"))
        check(mailbox)
        return Response(test_mailbox(mailbox))

    @action(detail=True, methods=["post"])
    def pause(self, request, id):
        """Send nothing from it until it is resumed."""
        found = self.row()
        pause_mailbox(found, by=self.by, reason=self.body().get("reason", "paused by hand"))
        return self.answer(found)

    @action(detail=True, methods=["post"])
    def resume(self, request, id):
        found = self.row()
        self.body()
        resume_mailbox(found, by=self.by)
        return self.answer(found)
