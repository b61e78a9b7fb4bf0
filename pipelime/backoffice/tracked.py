"""What mail programs ask for when a mail that is counted is opened, or a link in it followed."""

from __future__ import annotations

from base64 import b64decode

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import iri_to_uri
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from outreach.models import Message, TrackedLink
from outreach.tracking import message_and_link
from outreach.visits import looks_automatic, note
from pipelime.backoffice.entering import page
from pipelime.errors import NotFound

log = structlog.get_logger(__name__)

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")  # one transparent dot


@never_cache
@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    try:
        message, link = message_and_link(token)
    except NotFound as error:
        return unknown(request, error)
    if link is not None:
        return unknown(request, NotFound("This address is of no image"))
    noted(request, message, None)
    return HttpResponse(PIXEL, content_type="image/gif")


@never_cache
@require_safe
def clicked(request: HttpRequest, token: str) -> HttpResponse:
    """On to where the link leads, as its row says: nothing in the address could lead elsewhere."""
    try:
        message, link = message_and_link(token)
    except NotFound as error:
        return unknown(request, error)
    if link is None:
        return unknown(request, NotFound("This address leads nowhere"))
    noted(request, message, link)
    headers = {"Location": iri_to_uri(link.url), "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
    return HttpResponse(status=302, headers=headers)


def unknown(request: HttpRequest, error: NotFound) -> HttpResponse:
    return page(request, "This link does not work", status=404, words=f"{error}.")


def noted(request: HttpRequest, message: Message, link: TrackedLink | None) -> None:
    """HEAD only looks. The reader goes on even when a visit cannot be written down."""
    if request.method != "GET":
        return
    try:
        note(message, link, looks_automatic=looks_automatic(request.headers))
    except DatabaseError:
        log.exception("tracking.not_noted")
