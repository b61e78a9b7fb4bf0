"""The workspace as a site: who gets in, what every page carries, and the search over everything."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite

from pipelime.errors import NotAllowed, NotFound

# The theme's scripts build functions from attributes, which needs unsafe-eval; nothing comes from elsewhere.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self'"
)

View = Callable[..., HttpResponse]


class Workspace(UnfoldAdminSite):
    index_title = "Overview"
    password_change_template = "backoffice/password_change.html"  # noqa: S105  a file's name

    def __init__(self, name: str = "admin") -> None:
        from pipelime.backoffice.entering import LoginForm  # a form needs the apps, which load this first

        self.login_form = LoginForm
        super().__init__(name)

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return user.is_active and (getattr(user, "account_id", None) is not None or user.is_superuser)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return super().admin_view(in_account(view), cacheable)

    def extra_urls(self) -> list[URLPattern]:
        from outreach.admin import todo  # their models load after this site
        from pipelime.backoffice import held, operators, sink

        return [
            path("sending/", protected(super().admin_view(held.page)), name="confirm_sending"),
            path("to-do/", self.admin_view(todo.page), name="outreach_todo"),
            path("to-do/<int:number>/<slug:verb>/", self.admin_view(todo.press), name="outreach_todo_press"),
            path("choose-account/", protected(super().admin_view(operators.choose)), name="choose_account"),
            path("mail-sink/", self.admin_view(sink.messages), name="mail_sink"),
            path("mail-sink/<slug:message_id>/", self.admin_view(sink.message), name="mail_sink_message"),
            path("mail-sink/<slug:message_id>/html/", self.admin_view(sink.html), name="mail_sink_html"),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        context["styles"] = [*context["styles"], static("pipelime/workspace.css")]
        context["scripts"] = [*context["scripts"], static("pipelime/workspace.js")]
        context["site_favicons"] = [
            {"rel": "icon", "type": "image/svg+xml", "href": static("pipelime/icon.svg")}
        ]
        context |= self.fence(request)
        account = getattr(request, "account", None)
        context["account"] = account
        context["site_url"] = None  # there is no other site to return to
        context["site_subheader"] = account.name if account else None
        return context

    def fence(self, request: HttpRequest) -> dict[str, Any]:
        """Every page says it while no mail is sent."""
        from outreach import fence
        from pipelime.backoffice.held import may_confirm

        if not request.user.is_authenticated or not (row := fence.held()):
            return {}
        return {"held": row, "may_confirm": may_confirm(request)}

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return with_policy(super().login(request, extra_context))

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The theme's own search keeps answers for five minutes, past changes of rows and of rights."""
        from pipelime.backoffice.palette import search

        term = request.GET.get("s", "").strip()
        if not term:
            return HttpResponse()
        began = time.monotonic()
        found = self._search_apps(self.get_app_list(request), term.lower())
        template = "unfold/helpers/search_results.html"
        if "extended" in request.GET:
            template = "unfold/helpers/command_results.html"
            found += search(request, term)
        pages = Paginator(found, 100)
        context = {
            "page_obj": pages, "results": pages.get_page(request.GET.get("page")), "page_counter": 0,
            "execution_time": time.monotonic() - began, "command_show_history": False,
        }  # fmt: skip
        return TemplateResponse(request, template, context, headers={"HX-Trigger": "search"})


def in_account(view: View) -> View:
    """Only with an account open, and open for work; what the domain refuses becomes the right answer."""

    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.account is None:
            return redirect("admin:choose_account")
        if request.account.is_suspended and not request.user.is_superuser:
            return TemplateResponse(request, "backoffice/suspended.html", status=403)
        try:
            return with_policy(view(request, *args, **kwargs))
        except NotFound as error:
            raise Http404(str(error)) from None
        except NotAllowed as error:
            raise PermissionDenied(str(error)) from None

    return update_wrapper(wrapper, view)


def protected(view: View) -> View:
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return with_policy(view(request, *args, **kwargs))

    return update_wrapper(wrapper, view)


def with_policy(response: HttpResponse) -> HttpResponse:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    return response
