"""The door for providers of LinkedIn accounts, who tell by HTTP what has happened there."""

from __future__ import annotations

import orjson
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from outreach.linkedin.hooks import account_at, hear
from pipelime.errors import NotFound

MOST_BYTES = 256 * 1024


@csrf_exempt  # a provider posts here from anywhere; the signed address is the right to
@require_POST
def post(request: HttpRequest, token: str) -> JsonResponse:
    """200 means that it was heard, whether or not it concerns anybody here; it need not be repeated."""
    try:
        account = account_at(token)
    except NotFound as error:
        return JsonResponse({"error": str(error)}, status=404)
    raw = request.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        return JsonResponse({"error": f"At most {MOST_BYTES:,} bytes are read"}, status=413)
    try:
        payload = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return JsonResponse({"error": "Send a JSON object"}, status=400)
    if not isinstance(payload, dict):
        return JsonResponse({"error": "Send a JSON object"}, status=400)
    return JsonResponse({"status": "taken" if hear(account, payload) else "ignored"})
