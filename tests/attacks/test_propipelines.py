"""Requests that no honest client sends, to every route of Pro Pipe Lines and PG:AI: each is answered in the
API's own words, and one that is refused leaves no trace."""

from __future__ import annotations

import io
import json
import logging
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from crm.models import Contact
from pipelime.accounts.keys import issue_token
from pipelime.scope import account_scope
from tests import factories
from tests.api.asking import by_name, stored_rows
from tests.api.propipelines.rows import Rows, seeded
from tests.api.propipelines.test_document import REQUESTS, filled
from tests.api.routes import Route, all_routes
from tests.attacks import nasty
from webhooks.models import Delivery, Endpoint

ROUTES = [route for route in all_routes() if route.dialect.name in ("propipelines", "pgai")]
CANARY = "canary-9931"
PARAMETERS = [
    "limit", "offset", "direction", "order", "status", "step", "starred", "user_id", "email",
    "field_key", "field_value", "tags", "date_range_type", "updated_after", "start_date", "end_date",
    "include_unassigned", "lead_id", "action_type", "action_value", "from", "to", "user_ids", "title",
    "phone_number", "include_tags", "type", "teams", "role", "firstname", "lastname", "ids", "tag",
    "to_append", "activity_id", "content", "days", "step_id", "page", "per_page",
]  # fmt: skip
GIVEN = [
    "title", "description", "status", "remind_date", "remind_time", "reminder_duration",
    "reminder_activity_id", "reminder_note", "amount", "probability", "starred", "step", "user_id",
    "tags", "created_at", "estimated_closing_date", "client_id", "ids", "content", "activity_id",
    "attachment", "attachments", "privacy", "name", "is_active", "is_manager", "is_admin",
    "dont_send_email", "email", "firstname", "lastname", "category_id", "parent_type", "type", "is_key",
    "event", "target", "target_type", "add_to_lead_action_menu", "email_template_id", "first_name",
    "last_name", "company", "linkedin_url", "phone", "location", "job_title",
]  # fmt: skip
USUAL = {re.sub(r"\{\w+\}", "{}", name): body for name, (_, body) in REQUESTS.items()} | {
    "POST contacts": {"first_name": "Ada", "last_name": "King", "email": "ada@example.com"}
}
KINDS = [
    None,
    True,
    15,
    -1,
    2**63,
    0.5,
    1e308,
    [],
    [1],
    [[]],
    {},
    {"a": 1},
    "",
    "\x00",
    "²",
    "İ" * 200,
    "a" * 10_000,
]
PROBES = settings(
    max_examples=1,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


@dataclass
class World:
    """An account with a row of everything, another one whose rows say CANARY, and what asks for them."""

    rows: Rows
    theirs: list[Any]
    clients: list[APIClient]
    secrets: list[str]
    before: dict[str, list[tuple]]

    @property
    def ids(self) -> list[int]:
        return [*self.rows.ids.values(), *(row.pk for row in self.theirs), 987654321]


@pytest.fixture
def world(db) -> World:
    rows = seeded()
    rows.account.settings = {"requests_per_day": 0, "requests_per_minute": 0}
    rows.account.save()
    theirs = foreign_rows()
    with account_scope(rows.account):
        token = issue_token(rows.juliette)[1]
    program, person = rows.client(), APIClient(headers={"X-USER-TOKEN": token})
    hook = {"event": "lead.creation", "target_type": "url", "target": "https://hooks.example.com/"}
    for path, body in {"webhooks": hook, "leads": {"title": "Told", "description": "x"}}.items():
        assert program.post(f"/api/v2/{path}", body, format="json").status_code == 201
    with account_scope(rows.account):
        made = {"hook": Endpoint, "told": Delivery, "contact": Contact}
        rows.named |= {name: model.objects.first() for name, model in made.items()}
    return World(rows, theirs, [program, program, person], [rows.key, token], stored_rows())


def foreign_rows() -> list[Any]:
    account = factories.AccountFactory(name=CANARY)
    lead = factories.LeadFactory(account=account, title=CANARY, description=f"Email: {CANARY}@example.net")
    sheet = factories.ProspectingListFactory(account=account, title=CANARY)
    hook = factories.EndpointFactory(
        account=account, dialect="propipelines", events=["lead.creation"], name=CANARY
    )
    told = {
        factories.CommentFactory: {"lead": lead, "content": CANARY},
        factories.AttachmentFactory: {"lead": lead, "name": CANARY},
        factories.FollowUpFactory: {"lead": lead, "title": CANARY},
        factories.ProspectFactory: {"prospecting_list": sheet, "content": [CANARY]},
        factories.DeliveryFactory: {"endpoint": hook, "body": f'{{"x": "{CANARY}"}}'},
        factories.CompanyFactory: {"name": CANARY},
        factories.TeamFactory: {"name": CANARY},
        factories.UserFactory: {"first_name": CANARY, "email": f"{CANARY}@example.net"},
        factories.TagFactory: {"name": CANARY},
        factories.TagCategoryFactory: {"name": CANARY},
        factories.FieldFactory: {"name": CANARY, "kind": "lead"},
        factories.ActivityTypeFactory: {"name": CANARY},
        factories.EmailTemplateFactory: {"subject": CANARY, "is_shared": True},
        factories.ContactFactory: {"first_name": CANARY},
    }
    return [lead, sheet, hook, *(make(account=account, **facts) for make, facts in told.items())]


# What a path's word before a name stands for, by the names of `seeded()`.
NAMED = {
    "leads": "lead", "spreadsheets": "sheet", "rows": "prospect", "comments": "comment",
    "attachments": "attachment", "clients": "folder", "steps": "second_step", "users": "juliette",
    "teams": "team", "webhooks": "hook", "webhook_events": "told", "contacts": "contact",
}  # fmt: skip


def paths(route: Route, world: World) -> st.SearchStrategy[str]:
    """The path, naming rows of the account's own more often than others', or nothing at all."""

    def named(word: str) -> st.SearchStrategy[str]:
        own = st.just(route.dialect.identify(getattr(world.rows, NAMED[word])))
        other = st.sampled_from(world.theirs).map(route.dialect.identify)
        odd = st.sampled_from([text for text in nasty.TEXTS if text])
        return st.one_of(
            own, own, own, other, odd.map(lambda text: quote(text.encode("utf-8", "surrogatepass"), ""))
        )

    pieces = re.split(r"(\w+)/\{\w+\}", route.path)
    built: list[st.SearchStrategy[str]] = [
        st.just(piece) if place % 2 == 0 else named(piece).map(f"{piece}/{{}}".format)
        for place, piece in enumerate(pieces)
    ]
    return st.tuples(*built).map("".join)


def usual_of(route: Route, world: World) -> Any:
    name = re.sub(
        r"\{\w+\}",
        "{}",
        f"{route.method} {re.sub(r'^/(api/v2|api/simple|v1|public-api/v1)/', '', route.path)}",
    )
    return filled(USUAL.get(name), world.rows.ids)


def check(answer, world: World, dialect: str) -> None:
    """The answer is one of the API's: no fault of ours, nothing of others', refusals in their own form."""
    assert answer.status_code < 500, answer.content
    assert CANARY.encode() not in answer.content
    if answer.status_code < 400:
        return
    told = answer.json()
    if dialect == "propipelines":
        assert set(told) - {"id"} == {"error", "message", "type"}, told
        assert told["error"] == answer.status_code
        assert told["message"]
        assert isinstance(told["message"], str)
        assert isinstance(told["type"], str)
    else:
        assert set(told) == {"error"}, told
        assert isinstance(told["error"], str) or set(told["error"]) == {"type", "code", "message"}
    assert stored_rows() == world.before


@pytest.mark.parametrize("route", **by_name(ROUTES))
def test_whatever_is_asked_is_answered_in_the_words_of_the_api(world, logged, route):
    usual = usual_of(route, world)

    @PROBES
    @given(
        client=st.sampled_from(world.clients),
        method=st.sampled_from([route.method] * 8 + ["TRACE", "OPTIONS", "HEAD", "PATCH", "FOO"]),
        path=paths(route, world),
        query=nasty.queries(PARAMETERS, world.ids),
        body=nasty.bodies(usual, GIVEN, world.ids),
        headers=st.sampled_from(nasty.HEADERS),
    )
    def attack(client, method, path, query, body, headers):
        with transaction.atomic():
            answer = client.generic(method, f"{path}?{query}", *body, **headers)
            if method != "HEAD":
                check(answer, world, route.dialect.name)
            transaction.set_rollback(True)

    attack()

    text = logged()
    assert [secret for secret in world.secrets if secret[10:] in text] == []


@pytest.mark.parametrize("route", **by_name([route for route in ROUTES if route.method in ("POST", "PUT")]))
def test_no_kind_of_value_breaks_a_parameter(world, route):
    usual = usual_of(route, world)
    path = re.sub(
        r"(\w+)/\{\w+\}",
        lambda found: f"{found[1]}/{route.dialect.identify(getattr(world.rows, NAMED[found[1]]))}",
        route.path,
    )
    for name in usual if isinstance(usual, dict) else ():
        for value in KINDS:
            with transaction.atomic():
                answer = world.clients[0].generic(
                    route.method, path, json.dumps({**usual, name: value}), content_type="application/json"
                )
                check(answer, world, route.dialect.name)
                transaction.set_rollback(True)


def test_a_name_that_is_given_once_and_as_a_list_is_the_list(world):
    answer = world.clients[0].generic(
        "POST",
        "/api/v2/leads",
        "title=A&description=x&tags=hot&tags[]=cold&tags=warm",
        content_type="text/plain",
    )

    assert (answer.status_code, answer.json()["tags"]) == (201, ["cold"])


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=" + "x" * 300])
def test_a_body_of_a_kind_that_nothing_reads_is_refused_as_such(world, kind):
    answer = world.clients[0].generic("POST", "/api/v2/leads", "{}", content_type=kind)

    assert (answer.status_code, answer.json()["type"]) == (415, "unsupported_media_type")


@pytest.fixture
def logged():
    """What was logged so far, as it is written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    handler.setFormatter(root.handlers[0].formatter)
    root.addHandler(handler)
    yield written.getvalue
    root.removeHandler(handler)
