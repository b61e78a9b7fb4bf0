"""The demo's mail, readable in the browser. It shows the mail of all accounts, so only a demo shows it."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from pipelime import mailsink
from pipelime.backoffice.admin import is_admin

SHOWN = 100
# Mail is shown as it is, but may neither run a script nor load or send anything.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"


def is_open() -> bool:
    return bool(settings.SINK_PORT) and not settings.PIPELIME_MAIL_URL


def folder(request: HttpRequest) -> Path:
    if not is_open():
        raise Http404("The mail sink is part of the demo only")
    if not is_admin(request):
        raise PermissionDenied("The mail sink is for administrators")
    return settings.DATA / "mailsink"


def messages(request: HttpRequest) -> HttpResponse:
    found = mailsink.stored(folder(request), SHOWN)
    return page(request, "backoffice/mail_sink.html", title="Mail sink", mails=found, shown=SHOWN)


def message(request: HttpRequest, message_id: str) -> HttpResponse:
    mail = load(request, message_id)
    text = mail.get_body(("plain",))
    context = {
        "title": str(mail["subject"] or "(no subject)"),
        "mail": [(name, str(value)) for name, value in mail.items()],
        "text": text.get_content() if text else "",
        "has_html": mail.get_body(("html",)) is not None,
        "message_id": message_id,
    }
    return page(request, "backoffice/mail_sink_message.html", **context)


def html(request: HttpRequest, message_id: str) -> HttpResponse:
    body = load(request, message_id).get_body(("html",))
    if body is None:
        raise Http404("This mail has no HTML part")
    return HttpResponse(body.get_content(), headers={"Content-Security-Policy": MAIL_POLICY})


def load(request: HttpRequest, message_id: str) -> EmailMessage:
    try:
        return mailsink.load(folder(request), message_id)
    except LookupError as error:
        raise Http404(str(error)) from None


def page(request: HttpRequest, template: str, **context) -> HttpResponse:
    return TemplateResponse(request, template, admin.site.each_context(request) | context)
