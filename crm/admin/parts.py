"""Pages whose inline rows have verbs of their own, such as the tasks of a follow-up."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from pipelime.backoffice.admin import WorkspaceAdmin


class PartsAdmin(WorkspaceAdmin):
    def add_part(self, request: HttpRequest, owner: Any, values: dict[str, Any]) -> None:
        """One more row."""

    def change_part(self, request: HttpRequest, part: Any, values: dict[str, Any]) -> None:
        """A row, of which these values differ."""

    def remove_part(self, request: HttpRequest, part: Any) -> None:
        """A row that was ticked for deletion."""

    def write_parts(self, request, row, formsets) -> None:
        for formset in formsets:
            for form in formset.deleted_forms:
                if form.instance.pk:
                    self.remove_part(request, stored(form))
            for form in formset.forms:
                if form.has_changed() and form not in formset.deleted_forms and form.cleaned_data:
                    self.write_part(request, row, form)

    def write_part(self, request: HttpRequest, row: Any, form: Any) -> None:
        shown = form._meta.fields or ()
        values = {name: form.cleaned_data[name] for name in form.changed_data if name in shown}
        if form.instance.pk:
            self.change_part(request, stored(form), values)
        else:
            self.add_part(request, row, values)


def stored(form: Any) -> Any:
    """The row as it is: the form has laid its values over its own instance already."""
    return type(form.instance).objects.get(pk=form.instance.pk)
