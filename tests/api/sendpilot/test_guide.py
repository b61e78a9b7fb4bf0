"""docs/api/sendpilot.md names every route, scope and event of this API, and its lines that verify work."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.contrib.admindocs.views import simplify_regex

from outreach.campaigns import pause_campaign
from pipelime.api.sendpilot.events import KNOWN, dialect
from pipelime.api.sendpilot.statuses import KNOWN as STATUSES
from pipelime.api.sendpilot.urls import urlpatterns
from pipelime.scope import every_account
from tests.sinks import HttpReceiver
from webhooks.claiming import claim_next
from webhooks.delivery import Batch
from webhooks.endpoints import rotate_secret
from webhooks.models import Delivery

pytestmark = [pytest.mark.django_db, pytest.mark.once]

TEXT = (settings.BASE / "docs" / "api" / "sendpilot.md").read_text()
ROW = re.compile(r"^\| `(GET|POST|PATCH|PUT|DELETE) ([^`]+)` \|[^|]*\| `([^`]+)` \|", re.MULTILINE)


def routes() -> Iterator[tuple[str, str, str]]:
    """(method, path, scope) of everything that the URLconf has."""
    for pattern in urlpatterns:
        path = "/" + re.sub(r"<(\w+)>", r"{\1}", simplify_regex(str(pattern.pattern))).strip("/")
        for method, action in pattern.callback.actions.items():
            if method != "head":
                view = pattern.callback.cls(action=action, request=SimpleNamespace(method=method.upper()))
                yield method.upper(), path, "".join(view.needed_scopes()) or "any"


def test_every_route_stands_in_the_table_with_its_scope_and_nothing_else_does():
    assert sorted(ROW.findall(TEXT)) == sorted(routes())
    assert len(ROW.findall(TEXT)) == 16


def test_every_event_is_told_and_nothing_else_is():
    [table] = re.findall(r"^\| older name \|.*?\n\n", TEXT, re.MULTILINE | re.DOTALL)

    assert set(re.findall(r"`([a-z_]+\.[a-z_.]+)`", table)) == KNOWN


def test_every_status_is_told():
    assert set(re.findall(r"`([A-Z_]{4,})`", TEXT)) == set(STATUSES)


@pytest.fixture
def is_genuine():
    names: dict = {}
    [code] = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    exec(code, names)
    return names["is_genuine"]


def deliver() -> None:
    with every_account():
        while claim := claim_next():
            Batch(claim).deliver()


def test_a_delivery_over_http_is_accepted_by_the_lines_that_verify(listen, user, campaign, is_genuine):
    with HttpReceiver() as receiver:
        endpoint = listen("campaign.paused", url=receiver.url)
        older = endpoint.secret
        rotate_secret(endpoint, by=user)
        pause_campaign(campaign, by=user)
        deliver()

    [request] = receiver.requests
    header = request.headers["webhook-signature"]
    assert Delivery.objects.get().state == "done"
    assert is_genuine(endpoint.secret, header, request.body)
    assert is_genuine(older, header, request.body)
    assert not is_genuine("whsec_other", header, request.body)
    assert not is_genuine(endpoint.secret, header, request.body + b" ")


def test_a_delivery_that_fails_is_tried_again_in_five_seconds(listen, user, campaign):
    with HttpReceiver(500) as receiver:
        listen("campaign.paused", url=receiver.url)
        pause_campaign(campaign, by=user)
        deliver()

    delivery = Delivery.objects.prefetch_related("tries").get()
    [attempt] = delivery.tries.all()
    assert (delivery.state, delivery.attempts) == ("queued", 1)
    assert 4 <= (delivery.due_at - attempt.at).total_seconds() <= 6


def test_a_receiver_that_hangs_has_the_vendor_s_time_and_is_tried_again_like_any_other(
    listen, user, campaign, monkeypatch
):
    monkeypatch.setattr(dialect, "timeout", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as hung:
        listen("campaign.paused", url=f"http://127.0.0.1:{hung.getsockname()[1]}/")
        pause_campaign(campaign, by=user)
        deliver()

    delivery = Delivery.objects.prefetch_related("tries").get()
    [attempt] = delivery.tries.all()
    assert (delivery.state, attempt.status) == ("queued", None)
    assert (delivery.due_at - attempt.at).total_seconds() <= 6
