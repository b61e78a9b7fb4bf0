"""What campaigns ask of people today: one card a task, its words ready to be copied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from outreach.linkedin import tasks
from outreach.linkedin.words import Words, with_parts, words_of_all
from outreach.models import Message, SequenceStep
from pipelime.errors import PipelimeError

Channel = SequenceStep.Channel
SHOWN = 60  # cards on a page; the next ones follow when these are done
REMEMBERED = timedelta(days=30)  # for so long an invitation may be accepted here
TITLES = {
    Channel.LINKEDIN_INVITATION: ("LinkedIn invitations", "person_add"),
    Channel.LINKEDIN_MESSAGE: ("LinkedIn messages", "chat"),
    Channel.CALL: ("Calls", "call"),
    Channel.TASK: ("Other tasks", "task_alt"),
}


@dataclass(frozen=True)
class Card:
    message: Message
    words: Words
    contact: object
    is_late: bool


def page(request: HttpRequest) -> HttpResponse:
    """Mine, or everybody's with ?who=all."""
    everybody = request.GET.get("who") == "all"
    mine, now = tasks.open_tasks(request.user), timezone.now()
    rows = tasks.open_tasks() if everybody else mine
    shown = list(rows.visible_to(request.user).filter(due_at__lt=now)[: SHOWN + 1])
    groups = grouped(shown[:SHOWN])
    context = {
        "title": "Tasks",
        "groups": groups,
        "more": len(shown) > SHOWN,
        "later": rows.filter(due_at__gte=now).count(),
        "everybody": everybody,
        "mine": mine.filter(due_at__lt=now).count(),
        "all": tasks.open_tasks().filter(due_at__lt=now).count(),
        "outcomes": tasks.outcomes_of_calls(),
        "invited": invited(request, everybody=everybody),
    }
    return TemplateResponse(request, "backoffice/todo.html", admin.site.each_context(request) | context)


def grouped(found: list[Message]) -> list[tuple[str, str, list[Card]]]:
    words = words_of_all(found)
    groups = []
    for channel, (title, icon) in TITLES.items():
        cards = [card_of(message, words[message.pk]) for message in found if message.channel == channel]
        if cards:
            groups.append((title, icon, cards))
    return groups


def card_of(message: Message, words: Words) -> Card:
    contact = message.enrolment.contact if message.enrolment else None
    return Card(message, words, contact, message.due_at < timezone.now() - timedelta(days=1))


def invited(request: HttpRequest, *, everybody: bool) -> QuerySet[Message]:
    """Invitations that were sent by hand and of whose acceptance only a person can tell us."""
    rows = tasks.tasks().filter(
        state=Message.State.SENT,
        channel=Channel.LINKEDIN_INVITATION,
        sent_at__gte=timezone.now() - REMEMBERED,
        enrolment__connected_at=None,
        enrolment__isnull=False,
    )
    rows = with_parts(rows).order_by("-sent_at")
    return (rows if everybody else rows.filter(assignee=request.user))[:SHOWN]


def press(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    """Done, skipped or accepted, by POST; then the list again, where the next one stands."""
    if request.method != "POST":
        raise PermissionDenied
    message = tasks.tasks().visible_to(request.user).filter(pk=number).first()
    if message is None or verb not in VERBS:
        raise Http404("There is no such task")
    try:
        messages.success(request, VERBS[verb](request, message))
    except PipelimeError as refusal:
        messages.error(request, str(refusal))
    return redirect(reverse("admin:outreach_todo") + ("?who=all" if request.GET.get("who") == "all" else ""))


def done(request: HttpRequest, message: Message) -> str:
    note = request.POST.get("note", "").strip()
    tasks.finish(message, by=request.user, outcome=request.POST.get("outcome", ""), text=note or None)
    return f"Done: {message.to_name}."


def skipped(request: HttpRequest, message: Message) -> str:
    tasks.skip(message, by=request.user, reason=request.POST.get("note", ""))
    return f"Skipped: {message.to_name}. The next step follows."


def accepted(request: HttpRequest, message: Message) -> str:
    tasks.accepted(message, timezone.now(), by=request.user)
    return f"{message.to_name} is a connection now."


VERBS = {"done": done, "skip": skipped, "accepted": accepted}
