"""What the pages of contacts, companies and leads share: custom fields, tags, comments, exports."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin import action
from django.http import HttpRequest, StreamingHttpResponse
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from crm import exporting
from crm.comments import create_comment
from crm.models import Comment, Field
from pipelime.backoffice.admin import WorkspaceAdmin, WorkspaceInline, rows_of
from pipelime.backoffice.display import ago, linked
from pipelime.backoffice.forms import RecordForm

CUSTOM = "custom__"


class TaggedForm(RecordForm):
    """Values of custom fields and names of tags are typed like any other field."""

    tags = forms.CharField(
        required=False, help_text="Separated by commas; new ones are made.", widget=UnfoldAdminTextInputWidget
    )

    class Meta:
        widgets = {"description": UnfoldAdminTextareaWidget({"rows": 5})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        for name in self.fields:
            if name.startswith(CUSTOM):
                self.initial.setdefault(name, row.custom_fields.get(name.removeprefix(CUSTOM)))
        if row.pk is not None and hasattr(row, "tags"):
            self.initial["tags"] = ", ".join(tag.name for tag in row.tags.all())

    def clean_tags(self) -> list[str]:
        return [name for part in self.cleaned_data["tags"].split(",") if (name := part.strip())]

    def given(self, *, everything: bool) -> dict[str, Any]:
        values = super().given(everything=everything)
        customs = {
            name.removeprefix(CUSTOM): values.pop(name) for name in list(values) if name.startswith(CUSTOM)
        }
        return values | ({"custom_fields": customs} if customs else {})


def custom_fields(kind: str) -> dict[str, forms.Field]:
    """A form field for each custom field of the open account, by its name in the form."""
    return {CUSTOM + field.key: form_field(field) for field in Field.objects.filter(kind=kind)}


def form_field(field: Field) -> forms.Field:
    if field.type == Field.Type.DATE:
        # A text of the day is what verbs take; the widget only helps to choose it.
        return forms.CharField(label=field.name, required=False, widget=UnfoldAdminDateWidget)
    return forms.CharField(label=field.name, required=False, widget=UnfoldAdminTextInputWidget)


class CommentInline(WorkspaceInline):
    """Comments are added here; what is said stays said, unless it is changed on its own page."""

    model = Comment
    extra = 0
    can_change = can_delete = False
    fields = ("content", "activity_type", "author", "created_at", "shown_page")
    readonly_fields = ("author", "created_at", "shown_page")
    ordering = ("-id",)
    per_page = 10
    hide_title = True

    @display(description="")
    def shown_page(self, comment: Comment) -> str:
        return linked(comment, "Change") if comment.pk else ""

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "content":
            kwargs["widget"] = UnfoldAdminTextareaWidget({"rows": 2})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("author", "activity_type__parent")


class RecordAdmin(WorkspaceAdmin):
    """A page with custom fields and comments. `export_kind` names its export."""

    form = TaggedForm
    field_kind = ""
    export_kind = ""
    inlines = (CommentInline,)
    actions = ("export_csv", "export_xlsx")

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = type(self.form.__name__, (self.form,), custom_fields(self.field_kind))
        return super().get_form(request, obj, change=change, form=form, **kwargs)

    def get_fieldsets(self, request, obj=None):
        may_change = obj is None or self.has_change_permission(request, obj)
        names = list(custom_fields(self.field_kind)) if may_change else []  # shown by the form alone
        more = [("Custom fields", {"fields": names})] if names else []
        return [*super().get_fieldsets(request, obj), *more]

    def get_actions(self, request):
        actions = super().get_actions(request)
        if not self.export_kind:
            for name in ("export_csv", "export_xlsx"):
                actions.pop(name, None)
        return actions

    def write_parts(self, request, row, formsets) -> None:
        for formset in formsets:
            if formset.model is Comment:
                for form in formset.extra_forms:
                    if form.has_changed():
                        facts = {name: form.cleaned_data.get(name) for name in ("content", "activity_type")}
                        create_comment(row, by=request.user, **facts)

    def parts(self, request, formsets) -> dict[str, Any]:
        return {
            self.part_names[formset.model]: rows_of(formset)
            for formset in formsets
            if formset.model in self.part_names and formset.has_changed()
        }

    part_names: dict[type, str] = {}

    @display(description="changed", ordering="updated_at")
    def shown_updated(self, row: Any) -> str:
        return ago(row.updated_at)

    @action(description="Download as CSV")
    def export_csv(self, request, queryset):
        return self.export(request, queryset, "csv")

    @action(description="Download as Excel")
    def export_xlsx(self, request, queryset):
        return self.export(request, queryset, "xlsx")

    def export(self, request: HttpRequest, queryset: Any, kind: str) -> StreamingHttpResponse:
        content = exporting.stream(self.export_kind, kind, queryset.order_by(), by=request.user)
        kinds = {"csv": "text/csv; charset=utf-8",
                 "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}  # fmt: skip
        disposition = f'attachment; filename="{self.export_kind}.{kind}"'
        return StreamingHttpResponse(
            content, content_type=kinds[kind], headers={"Content-Disposition": disposition}
        )
