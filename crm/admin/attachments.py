"""The files of a lead on its page: fetched, added and deleted there.

A page that takes `AttachmentInline` calls `write_attachments` from its `write_parts`.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget

from crm.attachments import attach_file, delete_attachment
from crm.models import Attachment, Lead
from pipelime.backoffice.admin import WorkspaceInline
from pipelime.backoffice.display import ago

CHOICES = [(Attachment.Kind.FILE, "file"), (Attachment.Kind.BUSINESS_CARD, "business card")]


class Blank(forms.Widget):
    """An empty cell."""

    def render(self, name, value, attrs=None, renderer=None) -> SafeString:
        return SafeString()


class AttachmentForm(forms.ModelForm):
    """A file to keep; the rows that are there already only show theirs."""

    upload = forms.FileField(label="add a file", required=False, widget=UnfoldAdminFileFieldWidget)
    kind = forms.ChoiceField(choices=CHOICES, required=False)

    class Meta:
        model = Attachment
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            for name in ("upload", "kind"):
                self.fields[name] = forms.CharField(required=False, disabled=True, widget=Blank)


class AttachmentInline(WorkspaceInline):
    model = Attachment
    fk_name = "lead"
    form = AttachmentForm
    verbose_name = "file"
    verbose_name_plural = "files"
    fields = ("shown_name", "shown_size", "created_by", "shown_age", "upload", "kind")
    readonly_fields = ("shown_name", "shown_size", "created_by", "shown_age")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("created_by")

    @display(description="name")
    def shown_name(self, attachment: Attachment) -> str:
        if attachment.pk is None:
            return ""
        return format_html('<a href="/attachments/{}">{}</a>', attachment.pk, attachment.name)

    @display(description="size")
    def shown_size(self, attachment: Attachment) -> str:
        return size(attachment.size) if attachment.is_stored else attachment.get_kind_display()

    @display(description="added")
    def shown_age(self, attachment: Attachment) -> str:
        return ago(attachment.created_at) if attachment.pk else ""


def write_attachments(request: HttpRequest, lead: Lead, formset: Any) -> None:
    """What the inline says, by the verbs."""
    for form in formset.extra_forms:
        if upload := form.cleaned_data.get("upload"):
            kind = form.cleaned_data.get("kind") or Attachment.Kind.FILE
            attach_file(lead=lead, by=request.user, file=upload, kind=kind)
    for form in formset.deleted_forms:
        if form.instance.pk is not None:
            delete_attachment(form.instance, by=request.user)


def size(count: int) -> str:
    """Bytes as people say them."""
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.0f} kB" if count < 1024**2 else f"{count / 1024**2:.1f} MB"
