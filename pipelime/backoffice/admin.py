"""The base of every admin page: rows of the open account only, roles, and verbs instead of saves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import ShowFacets
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.admin import ModelAdmin, TabularInline

from pipelime.accounts.models import Account
from pipelime.backoffice.forms import RecordForm
from pipelime.backoffice.paginator import CappedPaginator
from pipelime.errors import PipelimeError
from pipelime.events.feed import sentence
from pipelime.events.models import Event
from pipelime.search import documents

HISTORY_SHOWN = 12


def account_of(request: HttpRequest) -> Account:
    account = getattr(request, "account", None)
    if account is None:
        raise PermissionDenied("No account is open")
    return account


def is_admin(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_admin", False) or getattr(request.user, "is_superuser", False))


@dataclass(frozen=True)
class Button:
    """A verb on a record's page, pressed by POST: `press_NAME(request, row)` of the page's class.

    `when` says for which rows it makes sense.
    """

    name: str
    label: str
    icon: str = ""
    when: Callable[[Any], bool] = lambda row: True
    confirm: str = ""
    admins: bool = False
    primary: bool = False


@dataclass(frozen=True)
class Link:
    """A way from a record's page to where something is done with it."""

    label: str
    address: str
    icon: str = ""


class WorkspaceAdmin(ModelAdmin):
    form = RecordForm
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 25
    list_max_show_all = 25
    list_fullwidth = True
    sortable_by: Iterable[str] = ()
    save_on_top = False
    warn_unsaved_form = True
    change_form_outer_before_template = "backoffice/buttons.html"
    change_form_outer_after_template = "backoffice/history.html"

    # What may be done at all, and whether only administrators may do it.
    can_add = can_change = can_delete = True
    admins_only = False
    when_empty = ""  # what brings the first row here
    buttons: tuple[Button, ...] = ()

    # --- Roles -----------------------------------------------------------------
    def may_write(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request) and (is_admin(request) or not self.admins_only)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return getattr(request, "account", None) is not None

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.can_add and self.may_write(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.can_change and self.may_write(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.can_delete and self.may_write(request)

    # --- Rows ------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet:
        account = account_of(request)
        rows = super().get_queryset(request)
        if self.model is Account:
            return rows.filter(pk=account.pk)
        rows = rows.filter(account=account)
        if hasattr(rows, "alive"):
            rows = rows.alive()
        return rows.visible_to(request.user) if hasattr(rows, "visible_to") else rows

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str):
        kind = getattr(self.model, "SEARCH_KIND", None)
        if kind is None or not search_term.strip():
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(pk__in=documents.find(kind, search_term)), False

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        """Choices are the rows that this person could open, so nothing else can be chosen or posted."""
        registered = self.admin_site._registry.get(db_field.remote_field.model)  # noqa: SLF001
        if registered is not None and "queryset" not in kwargs:
            kwargs["queryset"] = registered.get_queryset(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    # --- Writing ---------------------------------------------------------------
    def create(self, request: HttpRequest, values: dict[str, Any]) -> Model:
        raise PermissionDenied(f"A {self.opts.verbose_name} is not made here")

    def change(self, request: HttpRequest, row: Any, values: dict[str, Any]) -> Model | None:
        raise PermissionDenied(f"A {self.opts.verbose_name} is not changed here")

    def remove(self, request: HttpRequest, row: Any) -> None:
        raise PermissionDenied(f"A {self.opts.verbose_name} is not deleted here")

    def parts(self, request: HttpRequest, formsets: list) -> dict[str, Any]:
        """What the inlines say, in the words of the verb."""
        return {}

    def write_parts(self, request: HttpRequest, row: Any, formsets: list) -> None:
        """Inlines that have verbs of their own."""

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """A refusal rolls everything back; then the same page is built again, with what was said in it."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except PipelimeError as refusal:
            request.refusal = refusal
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        return form

    def save_form(self, request, form, change):
        return form.instance

    def save_model(self, request, obj, form, change) -> None:
        """Nothing yet: the verb wants the inlines as well."""

    def save_related(self, request, form, formsets, change) -> None:
        values = form.given(everything=not change) | self.parts(request, formsets)
        if change:
            row = self.model._base_manager.get(pk=form.instance.pk)
            row = (self.change(request, row, values) if values else None) or row
        else:
            row = self.create(request, values)
        self.write_parts(request, row, formsets)
        form.instance.__dict__.update(row.__dict__)
        for formset in formsets:
            formset.new_objects = formset.changed_objects = formset.deleted_objects = []

    def delete_model(self, request, obj) -> None:
        self.remove(request, obj)

    def delete_view(self, request, object_id, extra_context=None):
        try:
            return super().delete_view(request, object_id, extra_context)
        except PipelimeError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(self.address("change", object_id))

    def delete_queryset(self, request, queryset) -> None:
        self.each(request, queryset, self.remove)

    def get_deleted_objects(self, objs, request):
        """Deleting is a verb: what follows from it is the domain's business, not a walk over cascades."""
        names = [str(row) for row in objs]
        return names, {self.opts.verbose_name_plural: len(names)}, set(), []

    def each(self, request: HttpRequest, rows: Iterable[Any], verb: Callable[[HttpRequest, Any], Any]) -> int:
        """One verb for many rows. What is refused is said, and the others go on."""
        done = 0
        for row in rows:
            try:
                verb(request, row)
                done += 1
            except PipelimeError as refusal:
                self.message_user(request, f"{row}: {refusal}", messages.ERROR)
        return done

    # Events are the history; Django's own log of the admin would tell half of it a second time.
    def log_addition(self, request, obj, message): ...

    def log_change(self, request, obj, message): ...

    def log_deletions(self, request, queryset): ...

    # --- Pages -----------------------------------------------------------------
    def changelist_view(self, request, extra_context=None):
        title = {"title": self.opts.verbose_name_plural.capitalize()}
        return super().changelist_view(request, title | (extra_context or {}))

    def get_changelist_instance(self, request):
        found = super().get_changelist_instance(request)
        found.full_result_count = found.result_count  # the count below the list says more than "show all"
        return found

    def add_view(self, request, form_url="", extra_context=None):
        title = {"title": f"New {self.opts.verbose_name}", "show_save_and_add_another": False}
        return super().add_view(request, form_url, title | (extra_context or {}))

    def address(self, page: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=args)

    def get_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}_press"
        press = path("<path:object_id>/press/<slug:name>/", self.admin_site.admin_view(self.press), name=name)
        return [press, *super().get_urls()]

    def press(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """One button was pressed. GET presses nothing."""
        row = self.row_or_404(request, object_id)
        button = next((button for button in self.buttons if button.name == name), None)
        if button is None:
            raise Http404(f"There is no button {name}")
        if request.method != "POST" or not self.may_press(request, button):
            raise PermissionDenied
        try:
            answer = getattr(self, f"press_{name}")(request, row)
        except PipelimeError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            answer = None
        if isinstance(answer, HttpResponse):
            return answer
        if answer:
            self.message_user(request, answer, messages.SUCCESS)
        return redirect(self.address("change", row.pk))

    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404(f"There is no {self.opts.verbose_name} {object_id}")
        return row

    def may_press(self, request: HttpRequest, button: Button) -> bool:
        return self.may_write(request) and (is_admin(request) or not button.admins)

    def buttons_for(self, request: HttpRequest, row: Any) -> list[Button]:
        return [button for button in self.buttons if button.when(row) and self.may_press(request, button)]

    def links(self, request: HttpRequest, row: Any) -> list[Link]:
        """Shown beside the buttons."""
        return []

    def change_view(self, request, object_id, form_url="", extra_context=None):
        row = self.get_object(request, object_id)
        extra = {} if row is None else {
            "title": str(row), "subtitle": None, "show_save_and_add_another": False,
            "buttons": [(b, self.address("press", row.pk, b.name)) for b in self.buttons_for(request, row)],
            "links": self.links(request, row), "history": self.history(row),
        }  # fmt: skip
        return super().change_view(request, object_id, form_url, extra | (extra_context or {}))

    def history(self, row: Model) -> list[tuple[Event, str]]:
        events = Event.objects.history_of(row).order_by("-pk")[:HISTORY_SHOWN]
        return [(event, sentence(event)) for event in events]

    def history_view(self, request, object_id, extra_context=None):
        return redirect(f"{self.address('change', object_id)}#history")

    def show_once(
        self, request: HttpRequest, *, title: str, secret: str, hint: str, back: str
    ) -> HttpResponse:
        """The answer to the POST itself: a secret is in no session, cookie or address."""
        context = self.admin_site.each_context(request)
        context |= {"title": title, "secret": secret, "hint": hint, "back": back, "opts": self.opts}
        response = TemplateResponse(request, "backoffice/secret.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        """A page of our own in the frame of the workspace."""
        frame = self.admin_site.each_context(request)
        return TemplateResponse(request, template, frame | {"title": title, "opts": self.opts} | context)


class FactAdmin(WorkspaceAdmin):
    """What happened: seen by all, changed by nobody."""

    can_add = can_change = can_delete = False
    warn_unsaved_form = False


class WorkspaceInline(TabularInline):
    """Rows inside a record's page, under the same roles as the page; its page writes them."""

    extra = 0
    can_add = can_change = can_delete = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(account=account_of(request))

    def has_view_permission(self, request, obj=None) -> bool:
        return getattr(request, "account", None) is not None

    def may_write(self, request: HttpRequest) -> bool:
        owner = self.admin_site._registry.get(self.parent_model)  # noqa: SLF001
        return owner is not None and owner.may_write(request)

    def has_add_permission(self, request, obj=None) -> bool:
        return self.can_add and self.may_write(request)

    def has_change_permission(self, request, obj=None) -> bool:
        return self.can_change and self.may_write(request)

    def has_delete_permission(self, request, obj=None) -> bool:
        return self.can_delete and self.may_write(request)

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        registered = self.admin_site._registry.get(db_field.remote_field.model)  # noqa: SLF001
        if registered is not None and "queryset" not in kwargs:
            kwargs["queryset"] = registered.get_queryset(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def rows_of(formset: Any) -> list[dict[str, Any]]:
    """An inline's rows as they shall be: filled in, and not ticked for deletion."""
    return [
        form.cleaned_data
        for form in formset.forms
        if form not in formset.deleted_forms
        and form.cleaned_data
        and (form.instance.pk or form.has_changed())
    ]
