"""The door for programs that hand mail over by HTTP: the raw message, or a form that holds it."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm.receiving.accepting import receive
from crm.receiving.addresses import account_at
from pipelime.errors import Invalid

# What mail services call the raw message in their forms.
FIELDS = ("email", "message", "body-mime")
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


@csrf_exempt  # a mail service posts here from anywhere; the signature is the right to
@require_POST
def post(request: HttpRequest, uid: str, signature: str) -> JsonResponse:
    """200 means that the mail is safe; whatever else it says, the service should try again or bounce."""
    account = account_at(uid, signature)
    if account is None:
        return JsonResponse({"error": "There is no such address"}, status=404)
    try:
        raw = message_in(request)
        if not raw:
            names = ", ".join(FIELDS)
            return JsonResponse({"error": f"Send the message itself, or a form with {names}"}, status=400)
        receive(raw, source="url", account=account)
    except SuspiciousOperation:  # more, or larger, fields than Django reads
        return JsonResponse({"error": "The form is too large; send the message itself"}, status=413)
    except MultiPartParserError:
        return JsonResponse({"error": "This is no form that can be read"}, status=400)
    except Invalid as error:
        return JsonResponse({"error": str(error)}, status=413 if error.rule == "too_large" else 400)
    return JsonResponse({"status": "accepted"})


def message_in(request: HttpRequest) -> bytes:
    """The raw message; one byte more than is taken tells that it is too long."""
    if request.content_type not in FORMS:
        return request.read(settings.INBOUND_LIMIT + 1)
    for name in FIELDS:
        if name in request.FILES:
            return request.FILES[name].read(settings.INBOUND_LIMIT + 1)
        if text := request.POST.get(name):
            return text.encode(errors="surrogateescape")
    return b""
