"""The rows of prospecting lists in the workspace: filled in, called, and made into leads."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from crm.admin.prospecting import cells_of
from crm.admin.records import RecordAdmin
from crm.calls import first_call_type, record_call
from crm.models import ActivityType, Prospect, ProspectingList
from crm.prospecting import add_prospects, delete_prospect, lead_from_prospect, update_prospect
from pipelime.backoffice.admin import Button
from pipelime.backoffice.display import linked
from pipelime.backoffice.forms import RecordForm
from pipelime.errors import Invalid

CELL = "cell__"
PHONE = re.compile(r"\+?[\d\s().\-/]{7,30}")


class ProspectForm(RecordForm):
    """A field a column; the verb takes the whole row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for place, cell in enumerate(self.instance.content):
            self.initial[f"{CELL}{place}"] = cell

    def given(self, *, everything: bool) -> dict[str, Any]:
        values = super().given(everything=everything)
        changed = {name for name in values if name.startswith(CELL)}
        rest = {name: value for name, value in values.items() if name not in changed}
        cells = [self.cleaned_data[name] for name in self.fields if name.startswith(CELL)]
        return rest | ({"content": cells} if changed else {})


def cells(prospecting_list: ProspectingList) -> dict[str, forms.Field]:
    return {
        f"{CELL}{place}": forms.CharField(label=name, required=False, widget=UnfoldAdminTextInputWidget)
        for place, name in enumerate(prospecting_list.columns)
    }


class CallForm(forms.Form):
    phone = forms.CharField(label="Number", max_length=64, widget=UnfoldAdminTextInputWidget)
    outcome = forms.ChoiceField(label="What came of it", required=False, widget=UnfoldAdminSelectWidget)
    note = forms.CharField(label="Note", required=False, widget=UnfoldAdminTextareaWidget({"rows": 3}))

    def __init__(self, call: ActivityType, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = call.outcomes.filter(is_disabled=False).values_list("name", flat=True)
        self.fields["outcome"].choices = [("", "–"), *((name, name) for name in names)]


@admin.register(Prospect)
class ProspectAdmin(RecordAdmin):
    form = ProspectForm
    list_display = ("shown_row", "is_active", "lead", "shown_updated")
    list_filter = (("prospecting_list", AutocompleteSelectFilter), "is_active")
    list_filter_submit = True
    list_select_related = ("prospecting_list", "lead")
    ordering = ("-id",)
    readonly_fields = ("shown_list", "shown_lead")
    buttons = (
        Button("lead", "Make a lead", "target", lambda row: row.lead_id is None, primary=True),
        Button("call", "Call", "call"),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("prospecting_list", "lead")

    def list_for(self, request: HttpRequest, row: Prospect | None) -> ProspectingList | None:
        """The row's own list, or for a new row the one that the address names."""
        if row is not None:
            return row.prospecting_list
        number = request.GET.get("prospecting_list", "")
        lists = self.admin_site._registry[ProspectingList].get_queryset(request)  # noqa: SLF001
        return lists.filter(pk=number).first() if number.isdigit() and len(number) < 19 else None

    def get_form(self, request, obj=None, change=False, **kwargs):
        found = self.list_for(request, obj)
        form = type("ProspectForm", (ProspectForm,), cells(found) if found else {})
        return super(RecordAdmin, self).get_form(request, obj, change=change, form=form, **kwargs)

    def get_fieldsets(self, request, obj=None):
        found = self.list_for(request, obj)
        names = list(cells(found)) if found else []
        more = ("is_active", "shown_list", "shown_lead") if obj is not None else ()
        return [(None, {"fields": (*names, *more)})]

    def get_inlines(self, request, obj):
        return self.inlines if obj is not None else ()

    def has_add_permission(self, request):
        """From the page of a list only, which says whose row it will be."""
        return super().has_add_permission(request) and "prospecting_list" in request.GET

    def add_view(self, request, form_url="", extra_context=None):
        found = self.list_for(request, None)
        if found is None:
            self.message_user(request, "Open the list that the row belongs to, and add it there.")
            return redirect("admin:crm_prospectinglist_changelist")
        return super().add_view(request, form_url, {"title": f"New row of {found}"} | (extra_context or {}))

    @display(description="row", header=True)
    def shown_row(self, prospect: Prospect):
        return cells_of(prospect), prospect.prospecting_list.title

    @display(description="list")
    def shown_list(self, prospect: Prospect) -> str:
        return linked(prospect.prospecting_list)

    @display(description="lead")
    def shown_lead(self, prospect: Prospect) -> str:
        return linked(prospect.lead) if prospect.lead else "–"

    def response_post_save_add(self, request, obj):
        return self.response_post_save_change(request, obj)

    def response_post_save_change(self, request, obj):
        """Back to the list, where the next row is."""
        return redirect("admin:crm_prospectinglist_change", obj.prospecting_list_id)

    def create(self, request, values):
        found = self.list_for(request, None)
        added = add_prospects(found, [values.get("content", [])], by=request.user) if found else []
        if not added:
            raise Invalid("The row is blank; fill in a cell at least")
        return added[0]

    def change(self, request, row, values):
        return update_prospect(row, by=request.user, **values)

    def remove(self, request, row):
        delete_prospect(row, by=request.user)

    def press_lead(self, request, row) -> HttpResponse:
        own = request.user if request.user.account_id else None
        lead = lead_from_prospect(row, by=request.user, owner=own, created_from="workspace")
        self.message_user(request, f"{row} is a lead now.")
        return redirect("admin:crm_lead_change", lead.pk)

    def press_call(self, request, row) -> HttpResponse | str:
        """The first press asks for the number and the outcome, the second notes them."""
        call = first_call_type()
        form = CallForm(call, request.POST if "phone" in request.POST else None,
                        initial={"phone": phone_in(row)})  # fmt: skip
        if form.is_valid():
            try:
                record_call(row, by=request.user, **form.cleaned_data)
                return f"The call to {row} is noted."
            except Invalid as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        back = self.address("change", row.pk)
        return self.page(
            request, "backoffice/asked.html", f"Call {row}", form=form, button="Note the call", back=back
        )


def phone_in(prospect: Prospect) -> str:
    """The first cell that reads like a number to dial."""
    return next((cell.strip() for cell in prospect.content if PHONE.fullmatch(cell.strip())), "")
