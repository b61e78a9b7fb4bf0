"""The blocklist with its upload of many lines, and suppressions, which nobody takes back here."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.urls import path
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from outreach.blocking import block, block_many, unblock
from outreach.models import BlocklistEntry, Suppression
from pipelime.backoffice.admin import FactAdmin, WorkspaceAdmin, account_of
from pipelime.backoffice.forms import RecordForm

LARGEST = 5 * 1024 * 1024
SHOWN = 100


class ManyForm(forms.Form):
    lines = forms.CharField(
        label="Addresses and domains", required=False,
        help_text="One a line, such as ada@example.com or example.com.",
        widget=UnfoldAdminTextareaWidget({"rows": 10}),
    )  # fmt: skip
    file = forms.FileField(
        label="Or a text file", required=False, widget=UnfoldAdminFileFieldWidget({"accept": ".txt,.csv"})
    )
    reason = forms.CharField(label="Why", required=False, max_length=500, widget=UnfoldAdminTextInputWidget)

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file and file.size > LARGEST:
            raise forms.ValidationError(
                f"The file has {file.size:,} bytes; at most {LARGEST:,} are read at once."
            )
        return file

    def values(self) -> list[str]:
        file = self.cleaned_data["file"]
        text = file.read().decode("utf-8-sig", "replace") if file else self.cleaned_data["lines"]
        return text.splitlines()


class BlocklistForm(RecordForm):
    class Meta:
        help_texts = {"value": "An address such as ada@example.com, or a whole domain such as example.com."}


@admin.register(BlocklistEntry)
class BlocklistAdmin(WorkspaceAdmin):
    form = BlocklistForm
    can_change = False
    when_empty = "Nobody at an address or a domain on this list is ever written to."
    list_display = ("value", "kind", "reason", "created_at")
    list_filter = ("kind",)
    search_fields = ("value__startswith",)
    ordering = ("-id",)
    fields = ("value", "kind", "reason", "created_at")
    add_fieldsets = ((None, {"fields": ("value", "reason")}),)
    list_before_template = "backoffice/block_many_link.html"

    def get_urls(self):
        many = path("many/", self.admin_site.admin_view(self.many), name="outreach_blocklistentry_many")
        return [many, *super().get_urls()]

    def many(self, request):
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ManyForm(request.POST or None, request.FILES or None)
        result = None
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            result = block_many(account_of(request), form.values(), by=request.user, reason=reason)
        context = {"form": form, "result": result, "shown": SHOWN}
        return self.page(request, "backoffice/block_many.html", "Block many", **context)

    def create(self, request, values):
        return block(account_of(request), by=request.user, **values)

    def remove(self, request, row):
        unblock(row, by=request.user)


@admin.register(Suppression)
class SuppressionAdmin(FactAdmin):
    """Who said no stays said: only a hash of the address is kept."""

    when_empty = (
        "Whoever unsubscribes, bounces or complains comes here by itself, and is not written to again."
    )
    list_display = ("shown_hash", "cause", "source", "created_at")
    list_filter = ("cause",)
    ordering = ("-id",)
    fields = ("shown_hash", "cause", "source", "created_at")

    @display(description="address (hashed)")
    def shown_hash(self, entry: Suppression) -> str:
        return f"{entry.address_hash[:12]}…"
