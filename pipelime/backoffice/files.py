"""Attached files: a short address for people who may see them, and a signed one for whoever is given it."""

from __future__ import annotations

import structlog
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crm.attachments import attachment_of, signed_url
from crm.models import Attachment
from pipelime.errors import NotFound

log = structlog.get_logger(__name__)

# Even a page or a drawing with a script in it must do nothing, should a browser show it after all.
SANDBOX = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@never_cache
@login_required
@require_safe
def attachment(request: HttpRequest, number: int) -> HttpResponse:
    """The permanent address of an attachment leads to its file, or to the page that it links to."""
    if getattr(request, "account", None) is None:
        raise Http404("No account is open")
    found = Attachment.objects.visible_to(request.user).filter(pk=number).first()
    if found is None:
        raise Http404(f"There is no attachment {number}")
    return redirect(signed_url(found) if found.is_stored else found.url)


@require_safe
def download(request: HttpRequest, token: str) -> HttpResponse | FileResponse:
    """The file, to be saved and never to be shown: what users upload is not ours to vouch for."""
    try:
        found = attachment_of(token)
        content = default_storage.open(found.file)
    except NotFound as error:
        return plain(str(error))
    except FileNotFoundError:
        log.error("attachment.file_missing", attachment=found.pk, file=found.file)
        return plain("This file is not there any more")
    answer = FileResponse(content, as_attachment=True, filename=found.name, content_type=found.content_type)
    answer["Content-Length"] = str(found.size)
    return guarded(answer)


def plain(words: str) -> HttpResponse:
    return guarded(HttpResponse(f"{words}.\n", status=404, content_type="text/plain; charset=utf-8"))


def guarded(answer):
    answer["Content-Security-Policy"] = SANDBOX
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store"
    answer["Referrer-Policy"] = "no-referrer"
    return answer
