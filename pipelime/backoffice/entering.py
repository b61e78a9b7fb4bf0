"""Logging in, and the pages that mailed links lead to: a new password, an invitation answered."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from unfold.forms import AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

from pipelime.accounts import people
from pipelime.api.limits import login_allowed
from pipelime.errors import Invalid

INPUT = " ".join(BASE_INPUT_CLASSES)
TOO_MANY = "Too many attempts with this address. Wait a quarter of an hour, then try again."
# Pages for people who are not logged in need no script at all, only the theme's style and fonts.
STRICT_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def client_address(request: HttpRequest) -> str:
    """Who is at the other end; behind trusted proxies, the last address that none of them added."""
    seen = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    address = request.META.get("REMOTE_ADDR", "")
    while seen and is_trusted(address):
        address = seen.pop()
    return address


def is_trusted(address: str) -> bool:
    try:
        return any(
            ip_address(address) in ip_network(proxy, strict=False) for proxy in settings.TRUSTED_PROXIES
        )
    except ValueError:
        return False


class LoginForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "This e-mail address and password do not belong together.",
        "inactive": "This user is disabled.",
    }

    def clean(self) -> dict[str, Any]:
        email = self.cleaned_data.get("username") or ""
        if not login_allowed(client_address(self.request), email):
            raise ValidationError(TOO_MANY, code="limited")
        return super().clean()


class EmailForm(forms.Form):
    email = forms.EmailField(label="E-mail", widget=forms.EmailInput({"class": INPUT, "autofocus": True}))


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="New password",
        help_text="At least ten characters, and none of the passwords that everybody guesses first.",
        widget=forms.PasswordInput({"class": INPUT, "autocomplete": "new-password", "autofocus": True}),
        strip=False,
    )
    again = forms.CharField(
        label="The same again",
        widget=forms.PasswordInput({"class": INPUT, "autocomplete": "new-password"}),
        strip=False,
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "password" in values and "again" in values and values["password"] != values["again"]:
            self.add_error("again", "The two passwords differ; type the same one twice.")
        return values


@never_cache
def ask_for_reset(request: HttpRequest) -> HttpResponse:
    """Mails a link. Whether anybody has the address is told to nobody."""
    form = EmailForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return page(request, "Forgotten password", form=form, button="Mail me a link")
    email = form.cleaned_data["email"]
    if not login_allowed(client_address(request), f"reset {email}"):
        form.add_error(None, TOO_MANY)
        return page(request, "Forgotten password", form=form, button="Mail me a link")
    people.request_password_reset(email)
    words = f"If {email} belongs to somebody here, a link is on its way to it. It works for three days."
    return page(request, "Look into your mail", words=words)


@never_cache
def reset(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    return choose_password(
        request, "Set a new password", lambda word: people.reset_password(uid, token, word)
    )


@never_cache
def activate(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    return choose_password(request, "Welcome to Pipelime", lambda word: people.activate(uid, token, word))


def choose_password(request: HttpRequest, title: str, verb: Any) -> HttpResponse:
    """GET changes nothing: mail programs look at links before people do."""
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = verb(form.cleaned_data["password"])
        except Invalid as error:
            form.add_error("password" if "password" in error.fields else None, str(error))
        else:
            login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
            messages.success(request, "Your password is set, and you are logged in.")
            return redirect("admin:index")
    return page(request, title, form=form, button="Set the password")


def page(request: HttpRequest, title: str, status: int = 200, **context: Any) -> HttpResponse:
    """A page outside the workspace: no script, nothing from elsewhere, no address leaked by a referrer."""
    response = render(request, "backoffice/outside.html", {"title": title, **context}, status=status)
    response["Content-Security-Policy"] = STRICT_POLICY
    response["Referrer-Policy"] = "no-referrer"
    return response
