"""The inbox: conversations at the left, the open one at the right, and all that is done with it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path

from crm.models import Lead
from outreach.conversations import (
    assign,
    close,
    destination,
    make_lead,
    read,
    reopen,
    reply,
    set_intent,
    timeline,
)
from outreach.conversations.marks import read_mark, write_mark
from outreach.models import Conversation, EmailAccount, Enrolment, LinkedInAccount, Message
from pipelime.accounts.models import User
from pipelime.backoffice.admin import Button, WorkspaceAdmin, account_of
from pipelime.errors import PipelimeError

SHOWN = 30  # entries of a thread at once
UNDER_WAY = (Message.State.QUEUED, Message.State.CLAIMED, Message.State.SENDING)
BOXES = {
    "": "Open",
    "mine": "Mine",
    "unassigned": "Unassigned",
    "unread": "Unread",
    "closed": "Closed",
    "all": "All",
}


class Box(admin.SimpleListFilter):
    title = "which"
    parameter_name = "box"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(BOXES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "all":
                return queryset
            case "closed":
                return queryset.filter(closed_at__isnull=False)
            case "mine":
                return queryset.open().filter(assignee=request.user)
            case "unassigned":
                return queryset.open().filter(assignee=None)
            case "unread":
                return queryset.unread()
        return queryset.open()


class IntentFilter(admin.SimpleListFilter):
    title = "intent"
    parameter_name = "intent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in Enrolment.Intent.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(intent=self.value()) if self.value() else queryset


class SenderFilter(admin.SimpleListFilter):
    """mailbox-ID or linkedin-ID."""

    title = "sender"
    parameter_name = "sender"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        mailboxes = EmailAccount.objects.alive().order_by("email")
        profiles = LinkedInAccount.objects.alive().order_by("name", "pk")
        return [
            *((f"mailbox-{row.pk}", row.email) for row in mailboxes),
            *((f"linkedin-{row.pk}", f"{row.name} (LinkedIn)") for row in profiles),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        kind, _, number = (self.value() or "").partition("-")
        if not number.isascii() or not number.isdigit() or len(number) > 18:
            return queryset
        return queryset.filter(**{"mailbox" if kind == "mailbox" else "linkedin_account": int(number)})


@admin.register(Conversation)
class ConversationAdmin(WorkspaceAdmin):
    can_add = can_change = can_delete = False
    list_display = ("__str__",)
    list_filter = (Box, IntentFilter, SenderFilter)
    list_select_related = ("mailbox", "linkedin_account", "assignee", "contact", "lead")
    search_fields = ("name__istartswith", "counterpart__startswith")
    ordering = ("-last_at", "-id")
    buttons = (
        Button("reply", "Send"),
        Button("assign", "Assign"),
        Button("intent", "Say what it means"),
        Button("read", "Read"),
        Button("close", "Close", "check", lambda talk: talk.closed_at is None),
        Button("reopen", "Reopen", "undo", lambda talk: talk.closed_at is not None),
        Button("lead", "Make a lead", "target", lambda talk: not has_lead(talk), primary=True),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related(*self.list_select_related)

    def get_urls(self):
        view = self.admin_site.admin_view(self.list_view)
        return [path("list/", view, name="outreach_conversation_list"), *super().get_urls()]

    # --- Pages -----------------------------------------------------------------
    def changelist_view(self, request, extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            listing = self.listing(request)
        except IncorrectLookupParameters:
            return redirect(self.address("changelist"))
        return self.page(request, "backoffice/inbox.html", "Inbox", **listing)

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """The list alone, which the page asks for again and again. `open` is the open conversation."""
        opened = self.taken(request, "open")
        try:
            listing = self.listing(request, opened=int(opened) if opened.isdecimal() else None)
        except IncorrectLookupParameters:
            return HttpResponse(status=204)
        return TemplateResponse(request, "backoffice/inbox_list.html", listing)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        return self.show(request, self.row_or_404(request, object_id))

    def show(self, request: HttpRequest, talk: Conversation, **bound: Any) -> HttpResponse:
        before = read_mark(self.taken(request, "before"))
        entries = timeline(talk, limit=SHOWN + 1, before=before)
        shown = entries[-SHOWN:]
        context = {
            "talk": talk,
            "entries": shown,
            "older": write_mark(shown[0].mark) if len(entries) > SHOWN else "",
            "intents": Enrolment.Intent.choices,
            "under_way": UNDER_WAY,
            "people": User.objects.active().filter(account=account_of(request)).order_by("first_name", "pk"),
            "lead": lead_for(talk, request.user),
            "press": self.press_addresses(request, talk),
            "buttons_shown": [
                button
                for button in self.buttons_for(request, talk)
                if button.name in ("close", "reopen", "lead")
            ],
            **where(talk),
        }
        try:
            context |= self.listing(request, opened=talk.pk)
        except IncorrectLookupParameters:
            return redirect(self.address("change", talk.pk))
        return self.page(request, "backoffice/inbox.html", str(talk), **context | bound)

    def listing(self, request: HttpRequest, opened: int | None = None) -> dict[str, Any]:
        found = self.get_changelist_instance(request)
        kept = {name: value for name, value in request.GET.items() if name != Box.parameter_name}
        query = request.GET.copy()
        query.pop("p", None)
        return {
            "cl": found,
            "opened": opened,
            "boxes": [
                (label, self.listed(request, kept | ({Box.parameter_name: box} if box else {})),
                 box == request.GET.get(Box.parameter_name, ""))
                for box, label in BOXES.items()
            ],
            "filters": [
                (one.title, one.parameter_name, one.lookup_choices, one.value())
                for one in found.filter_specs if not isinstance(one, Box)
            ],
            "box": request.GET.get(Box.parameter_name, ""),
            "query": query.urlencode(),
            "list_url": f"{self.address('list')}?{self.joined(request, open=opened or '')}",
        }  # fmt: skip

    def listed(self, request: HttpRequest, parameters: dict[str, str]) -> str:
        query = request.GET.copy()
        query.clear()
        query.update(parameters)
        return f"{self.address('changelist')}?{query.urlencode()}"

    @staticmethod
    def joined(request: HttpRequest, **more: Any) -> str:
        query = request.GET.copy()
        query.update({name: str(value) for name, value in more.items()})
        return query.urlencode()

    @staticmethod
    def taken(request: HttpRequest, name: str) -> str:
        """A parameter of ours, out of the way of the list, which knows only its filters."""
        query = request.GET.copy()
        value = query.pop(name, [""])[-1]
        request.GET = query  # type: ignore[assignment]
        return str(value)

    def press_addresses(self, request: HttpRequest, talk: Conversation) -> dict[str, str]:
        query = request.GET.urlencode()
        return {
            button.name: f"{self.address('press', talk.pk, button.name)}{'?' if query else ''}{query}"
            for button in self.buttons
        }

    # --- Verbs -----------------------------------------------------------------
    def press(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Back to the conversation, with the list narrowed as it was."""
        answer = super().press(request, object_id, name)
        if isinstance(answer, HttpResponseRedirect) and request.GET:
            return redirect(f"{answer.url}?{request.GET.urlencode()}")
        return answer

    def press_reply(self, request, talk) -> HttpResponse | str:
        text = request.POST.get("text", "")
        try:
            message = reply(talk, by=request.user, text=text)
        except PipelimeError as refusal:  # what was written is not lost
            return self.show(request, self.row_or_404(request, str(talk.pk)), said=text, refusal=str(refusal))
        by_hand = message.state == message.State.TODO
        return (
            "It is among the tasks now: somebody sends it by hand."
            if by_hand
            else "Your answer is on its way."
        )

    def press_assign(self, request, talk) -> str:
        number = request.POST.get("user", "")
        people = User.objects.active().filter(account=account_of(request))
        person = people.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
        if number and person is None:
            raise PermissionDenied
        assign(talk, person, by=request.user)
        return f"{talk} is given to {person.name}." if person else f"{talk} is given to nobody."

    def press_intent(self, request, talk) -> str:
        set_intent(talk, request.POST.get("intent", ""), by=request.user)
        return "Noted." if talk.intent else "Cleared: rules may guess again."

    def press_read(self, request, talk) -> HttpResponse:
        read(talk)
        return HttpResponse(status=204)

    def press_close(self, request, talk) -> str:
        close(talk, by=request.user)
        return "Closed, until they write again."

    def press_reopen(self, request, talk) -> str:
        reopen(talk, by=request.user)
        return "Open again."

    def press_lead(self, request, talk) -> str:
        return f"The lead is {make_lead(talk, by=request.user).title}."


def has_lead(talk: Conversation) -> bool:
    return talk.lead is not None and talk.lead.deleted_at is None


def lead_for(talk: Conversation, user: Any) -> Lead | None:
    """Its lead, for whoever may see it."""
    return Lead.objects.alive().visible_to(user).filter(pk=talk.lead_id).first() if talk.lead_id else None


def where(talk: Conversation) -> dict[str, str]:
    """Where an answer goes, or why none can."""
    try:
        return {"to": destination(talk), "hindrance": ""}
    except PipelimeError as refusal:
        return {"to": "", "hindrance": str(refusal)}
