"""Connecting a mailbox at Google or Microsoft: out to the provider's page, and back with a code."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from outreach import oauth
from outreach.mailboxes import log_in_by
from pipelime.backoffice.admin import Link, WorkspaceAdmin, account_of
from pipelime.errors import PipelimeError

ASKED = "mailbox_connecting"  # the session's key for what was asked of whom
MOST = 5  # browser tabs in which somebody may be on the way
CONNECT, CONNECTED = "outreach_emailaccount_connect", "outreach_emailaccount_connected"


class ConnectsMailboxes(WorkspaceAdmin):
    list_before_template = "backoffice/mailbox_links.html"

    def get_urls(self):
        def wrapped(view):
            return self.admin_site.admin_view(require_safe(view))

        return [
            path("connect/<slug:provider>/", wrapped(self.connect), name=CONNECT),
            path("connected/<slug:provider>/", wrapped(self.connected), name=CONNECTED),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        providers = [one for one in oauth.PROVIDERS.values() if one.is_set_up]
        links = [self.link_to(one) for one in providers if self.has_add_permission(request)]
        return super().changelist_view(request, {"mailbox_links": links, **(extra_context or {})})

    def link_to(self, provider: oauth.Provider, how: str = "") -> Link:
        label = f"Connect {how} at {provider.label}" if how else f"Connect a {provider.label} mailbox"
        return Link(label, reverse(f"admin:{CONNECT}", args=[provider.name]), "login")

    def connect(self, request: HttpRequest, provider: str) -> HttpResponse:
        """Says what will be asked for. The way on is a link: a form may not lead to another site."""
        found = self.provider_for(request, provider)
        state, verifier = secrets.token_urlsafe(24), oauth.new_verifier()
        asked = request.session.get(ASKED, {})
        kept = dict(list(asked.items())[1 - MOST :])
        request.session[ASKED] = kept | {state: [found.name, verifier, account_of(request).pk]}
        address = oauth.authorization_url(
            found, redirect_uri=self.redirect_uri(found), state=state, verifier=verifier
        )
        title = f"Connect a {found.label} mailbox"
        return self.page(request, "backoffice/mailbox_connect.html", title, provider=found, address=address)

    def connected(self, request: HttpRequest, provider: str) -> HttpResponse:
        """The provider sends the browser here. A code counts once, in the session that asked for it."""
        found = self.provider_for(request, provider)
        verifier = self.verifier_of(request, found)
        if not verifier:
            return self.failed(request, "This connection was not begun here, or is over; begin it again.")
        if request.GET.get("error") or not request.GET.get("code"):
            words = oauth.words_of(request.GET.dict()) or "it gave no code"
            return self.failed(request, f"{found.label} said: {words}")
        try:
            tokens = oauth.redeem(
                found,
                code=request.GET["code"],
                verifier=verifier,
                redirect_uri=self.redirect_uri(found),
            )
            mailbox = log_in_by(
                account_of(request),
                by=request.user,
                login=found.name,
                email=tokens.email,
                refresh_token=tokens.refresh,
            )
        except (oauth.GrantRefused, oauth.ProviderUnavailable, PipelimeError) as error:
            return self.failed(request, str(error))
        self.message_user(request, f"{mailbox.email} is connected.", messages.SUCCESS)
        return redirect(self.address("change", mailbox.pk))

    def provider_for(self, request: HttpRequest, name: str) -> oauth.Provider:
        if not self.has_add_permission(request):
            raise PermissionDenied
        found = oauth.PROVIDERS.get(name)
        if found is None or not found.is_set_up:
            raise Http404(f"No mailboxes at {name} can be connected here")
        return found

    def redirect_uri(self, provider: oauth.Provider) -> str:
        """From the settings and not from the request: the provider compares it with what it was told."""
        return settings.PIPELIME_URL + reverse(f"admin:{CONNECTED}", args=[provider.name])

    def verifier_of(self, request: HttpRequest, provider: oauth.Provider) -> str:
        asked: dict[str, Any] = request.session.get(ASKED, {})
        name, verifier, account_id = asked.pop(request.GET.get("state", ""), ("", "", None))
        request.session[ASKED] = asked
        return verifier if (name, account_id) == (provider.name, account_of(request).pk) else ""

    def failed(self, request: HttpRequest, words: str) -> HttpResponse:
        self.message_user(request, words, messages.ERROR)
        return redirect(self.address("changelist"))
