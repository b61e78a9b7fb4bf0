"""Settings of bench/api.py's server: Pipelime as it is, and the bare views that it is compared with."""

from __future__ import annotations

from pipelime.settings import *  # noqa: F403

MIDDLEWARE = ["bench.api_server.Bare", *MIDDLEWARE]  # noqa: F405
LOG_LEVEL = "ERROR"


class Bare:
    """Answers /bare/… before any middleware: no session, no key, no limit, no scope; only rows and orjson."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not request.path.startswith("/bare/"):
            return self.get_response(request)
        _, _, subject, *name = request.path.split("/")
        return created(request) if request.method == "POST" else shown(subject, *name)


def shown(subject, uid=None):
    from crm.models import Contact, Lead

    rows = {"contacts": Contact, "leads": Lead}[subject]._base_manager.filter(deleted_at=None)
    if uid is None:
        return plain(list(rows.order_by("-id").values()[:100]))
    return plain(rows.values().get(uid=uid))


def plain(data):
    import orjson
    from django.http import HttpResponse

    body = orjson.dumps(data, default=str)
    # As the middleware behind these views would say: without a length the server sends chunks.
    return HttpResponse(body, content_type="application/json", headers={"Content-Length": str(len(body))})


def created(request):
    import orjson

    from crm.models import Lead, Step

    body = orjson.loads(request.body)
    step = Step._base_manager.values("id", "account_id").order_by("id")[0]
    lead = Lead(account_id=step["account_id"], step_id=step["id"], title=body["title"], amount=body["amount"])
    lead.save_base(force_insert=True)
    return plain({"id": lead.uid, "title": lead.title, "amount": lead.amount})
