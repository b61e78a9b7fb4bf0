"""Pages for everybody: unsubscribing, short links to records, robots and the icon."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from outreach.unsubscribing import message_of, unsubscribe
from pipelime.backoffice.entering import page
from pipelime.errors import NotFound

RECORDS = {
    "leads": "crm_lead", "clients": "crm_company", "users": "accounts_user",
    "spreadsheets": "crm_prospectinglist", "mailboxes": "outreach_emailaccount",
    "conversations": "outreach_conversation",
}  # fmt: skip


@csrf_exempt  # a mail program posts here for its user, from anywhere (RFC 8058); the token is the right to
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """GET only asks: programs that follow every link of a mail must not unsubscribe its reader."""
    try:
        message = message_of(token) if request.method != "POST" else unsubscribe(token)
    except NotFound as error:
        return page(request, "This link does not work", status=404, words=f"{error}.")
    sender, address = message.account.name, message.to_address
    if request.method != "POST":
        words = f"{sender} will not write to {address} any more."
        return page(request, "Unsubscribe", words=words, button="Unsubscribe", action=True)
    return page(request, "You are unsubscribed", words=f"{sender} will not write to {address} any more.")


@login_required
@require_safe
def record(request: HttpRequest, kind: str, number: int) -> HttpResponse:
    """The short address of a record, as mails and other programs give it."""
    return redirect(reverse(f"admin:{RECORDS[kind]}_change", args=[number]))


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    return redirect(staticfiles_storage.url("pipelime/icon.svg"), permanent=False)
