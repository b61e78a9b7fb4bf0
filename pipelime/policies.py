"""What holds for every answer: which host shows what, and what a page may load."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# What recipients of mail may reach at a host of their own: ways out, links, images, and what these pages are
# drawn with.
FOR_RECIPIENTS = ("/u/", "/o/", "/c/", settings.STATIC_URL)
FOR_PROGRAMS = ("/healthz", "/robots.txt", "/favicon.ico")
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# Pages that say what went wrong, drawn with the theme's style and fonts.
DRAWN = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Swagger UI starts from a script within the page and draws its icons from data: addresses.
DOCUMENTATION = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
OWN = {"/api/docs": DOCUMENTATION}


class PublicHostMiddleware:
    """Where PIPELIME_PUBLIC_URL has a host of its own, nobody finds the workspace or an API behind it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for_all = request.path.startswith(FOR_RECIPIENTS) or request.path in FOR_PROGRAMS
        if not for_all and is_public_only(request.META.get("HTTP_HOST", "")):
            return HttpResponse("There is nothing here.\n", status=404, content_type="text/plain")
        return self.get_response(request)


def is_public_only(host: str) -> bool:
    public, own = (urlsplit(url).hostname for url in (settings.PIPELIME_PUBLIC_URL, settings.PIPELIME_URL))
    return public != own and host_name(host) == public


def host_name(host: str) -> str | None:
    """Of a Host header, which may be anything."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return None
    return name.rstrip(".") if name else None


class ContentPolicyMiddleware:
    """Pages name what they need; what names nothing, an API's answer above all, gets nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        kind = answer.headers.get("Content-Type", "")
        usual = DRAWN if answer.status_code >= 400 and kind.startswith("text/html") else NOTHING
        answer.headers.setdefault("Content-Security-Policy", OWN.get(request.path, usual))
        return answer
