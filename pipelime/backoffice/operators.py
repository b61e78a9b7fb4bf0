"""The page on which an operator, who has no account, opens somebody's."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from pipelime.accounts.models import Account
from pipelime.accounts.operators import open_as_operator
from pipelime.backoffice.middleware import CHOSEN

SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    if not request.user.is_superuser or request.user.account_id is not None:
        raise PermissionDenied
    if request.method == "POST":
        account = get_object_or_404(Account, pk=request.POST.get("account", ""))
        open_as_operator(account, by=request.user)
        request.session[CHOSEN] = account.pk
        return redirect("admin:index")
    question = request.GET.get("q", "").strip()
    accounts = Account.objects.order_by("name")
    if question:
        accounts = accounts.filter(name__icontains=question)
    context = {"title": "Choose an account", "accounts": accounts[:SHOWN], "question": question}
    frame = admin.site.each_context(request)
    return TemplateResponse(request, "backoffice/choose_account.html", frame | context)
