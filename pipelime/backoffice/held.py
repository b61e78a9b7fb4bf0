"""The banner while sending is held, and the page on which somebody lets it go on."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from outreach import fence
from outreach.confirming import confirm, unsent
from pipelime.accounts.models import Account


def may_confirm(request: HttpRequest) -> bool:
    """It concerns all accounts, so operators do; at home, with one account, its administrators as well."""
    if request.user.is_superuser:
        return True
    alone = connection.vendor == "sqlite" and Account.objects.count() == 1
    return alone and bool(getattr(request.user, "is_admin", False))


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    if not may_confirm(request):
        raise PermissionDenied
    if request.method == "POST":
        paused = "pause" in request.POST
        if confirm(by=request.user.email, pause_campaigns=paused):
            words = " Every campaign is paused: resume them one by one." if paused else ""
            messages.success(request, f"Sending goes on.{words}")
        return redirect("admin:index")
    context = {"title": "Sending is held", "row": fence.held(), "unsent": unsent()}
    return TemplateResponse(request, "backoffice/held.html", admin.site.each_context(request) | context)
