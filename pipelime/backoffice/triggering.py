"""The menu on a lead's page that sends the lead to a webhook now, because somebody wants it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from pipelime.errors import NotFound
from webhooks.endpoints import trigger
from webhooks.models import Endpoint


def choices() -> list[Endpoint]:
    return list(Endpoint.objects.on_menu().order_by("name", "pk"))


def press(request: HttpRequest, lead: Any) -> str:
    number = request.POST.get("endpoint", "")
    rows = Endpoint.objects.on_menu()
    endpoint = rows.filter(pk=number).first() if number.isdigit() and len(number) < 19 else None
    if endpoint is None:
        raise NotFound("This webhook is not in the menu any more")
    trigger(lead, endpoint, by=request.user)
    return f"{lead} is on its way to {endpoint}."
