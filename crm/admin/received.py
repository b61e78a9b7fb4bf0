"""Mail that came in: what became of each, and a second try for what could not be used."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from crm.admin.attachments import size
from crm.models import Lead, ReceivedMail
from crm.receiving import letters, working
from crm.receiving.addresses import inbound_address
from pipelime.backoffice.admin import Button, FactAdmin, account_of
from pipelime.backoffice.display import ago

Outcome = ReceivedMail.Outcome
LABELS = {
    Outcome.WAITING.label: "info", Outcome.LEAD_CREATED.label: "success", Outcome.ATTACHED.label: "success",
    Outcome.REFUSED.label: "danger", Outcome.IGNORED.label: "default",
}  # fmt: skip
SHOWN_TEXT = 20_000
LOOKED_AT = 2 * 1024 * 1024  # bytes of a mail, whose text stands before its files


@admin.register(ReceivedMail)
class ReceivedMailAdmin(FactAdmin):
    """Subjects and texts are of anybody's making: they are shown as text, never as a page."""

    list_display = ("shown_subject", "shown_outcome", "lead", "shown_size", "shown_age")
    list_filter = (("outcome", ChoicesDropdownFilter),)
    list_filter_submit = True
    list_select_related = ("lead",)
    search_fields = ("sender__startswith",)
    search_help_text = "Beginning of the sender's address"
    ordering = ("-id",)
    fields = (
        "sender", "subject", "outcome", "reason", "shown_lead", "received_at", "source", "shown_size",
        "attempts", "message_id", "shown_text", "shown_download",
    )  # fmt: skip
    readonly_fields = ("shown_lead", "shown_size", "shown_text", "shown_download")
    buttons = (
        Button(
            "again",
            "Try again",
            "refresh",
            lambda mail: mail.state == ReceivedMail.State.FAILED,
            primary=True,
        ),
        Button("lead", "Make a lead of it", "target", lambda mail: mail.outcome == Outcome.IGNORED),
    )

    def changelist_view(self, request, extra_context=None):
        address = f"Mail to {inbound_address(account_of(request))} becomes leads"
        return super().changelist_view(request, {"subtitle": address} | (extra_context or {}))

    def get_queryset(self, request):
        """Mail whose lead somebody may not see is not theirs to read either."""
        rows = super().get_queryset(request)
        if request.user.is_admin or request.user.account_id is None:
            return rows
        return rows.filter(lead__in=Lead.objects.visible_to(request.user).values("pk"))

    @display(description="mail", header=True)
    def shown_subject(self, mail: ReceivedMail):
        return str(mail), mail.sender

    @display(description="outcome", label=LABELS)
    def shown_outcome(self, mail: ReceivedMail) -> str:
        return mail.get_outcome_display()

    @display(description="size")
    def shown_size(self, mail: ReceivedMail) -> str:
        return size(mail.size)

    @display(description="received")
    def shown_age(self, mail: ReceivedMail) -> str:
        return ago(mail.received_at)

    @display(description="lead")
    def shown_lead(self, mail: ReceivedMail) -> str:
        return format_html('<a href="/leads/{}">{}</a>', mail.lead_id, mail.lead) if mail.lead else "–"

    @display(description="text")
    def shown_text(self, mail: ReceivedMail) -> str:
        try:
            text = letters.read(working.content(mail)[:LOOKED_AT]).text
        except Exception:  # noqa: BLE001  the page is there to say what is wrong with the mail
            return "The mail as it came is not there any more."
        return format_html('<pre style="white-space: pre-wrap">{}</pre>', text[:SHOWN_TEXT] or "(no text)")

    @display(description="as it came")
    def shown_download(self, mail: ReceivedMail) -> str:
        if not mail.raw:
            return "deleted after its retention"
        return format_html('<a href="{}">Download</a>', self.address("raw", mail.pk))

    def get_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}_raw"
        return [
            path("<path:object_id>/raw/", self.admin_site.admin_view(self.raw), name=name),
            *super().get_urls(),
        ]

    def raw(self, request: HttpRequest, object_id: str) -> HttpResponse | FileResponse:
        mail: Any = self.row_or_404(request, object_id)
        try:
            content = default_storage.open(mail.raw) if mail.raw else None
        except FileNotFoundError:
            content = None
        if content is None:
            raise Http404("The mail as it came is not there any more")
        answer = FileResponse(
            content, as_attachment=True, filename=f"mail-{mail.pk}.eml", content_type="message/rfc822"
        )
        answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
        answer["Cache-Control"] = "no-store"
        return answer

    def press_again(self, request, mail) -> str:
        working.try_again(mail, by=request.user)
        return "It is worked on again; look here in a moment."

    def press_lead(self, request, mail) -> str:
        made = working.make_lead(mail, by=request.user)
        return f"The lead {made.lead} is made of it."
