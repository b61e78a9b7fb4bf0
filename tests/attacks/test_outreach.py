"""Requests that no honest client sends, to every route of outreach: the native ones and SendPilot's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from tests import factories
from tests.api.asking import by_name, key_of, made_for, stored_rows
from tests.api.routes import Route, all_routes
from tests.attacks import nasty
from tests.attacks.test_propipelines import CANARY, PROBES

NATIVE = re.compile(
    r"/api/(campaigns|campaign-templates|conversations|email-accounts|enrolments|linkedin-accounts|messages"
    r"|sending-domains|tasks|contacts/\{id\}/why-not)\b"
)
# Its other mount leads to the same views.
SENDPILOT_MOUNT = re.compile(r"/v1/(campaigns|leads|senders|inbox|credits|lead-database)\b")
ROUTES = [route for route in all_routes() if SENDPILOT_MOUNT.match(route.path) or NATIVE.match(route.path)]
PARAMETERS = [
    "limit", "page", "cursor", "order", "status", "campaign", "campaignId", "accountId", "continuationToken",
    "search", "from", "to", "days", "state", "channel", "assignee", "intent", "unread", "contact", "hours",
]  # fmt: skip
SENDPILOT = {
    "name": "Spring", "status": "active", "campaignId": "camp_x", "senderId": "sender_x", "leadId": "lead_x",
    "message": "Hello", "recipientLinkedinUrl": "https://www.linkedin.com/in/x", "replyStatus": "interested",
    "leads": [{"linkedinUrl": "https://www.linkedin.com/in/x", "firstName": "X"}],
    "filters": {"jobTitles": ["CTO"]}, "limit": 5,
}  # fmt: skip


@dataclass
class World:
    own: list[Any]
    theirs: list[Any]
    client: APIClient
    row: Any
    before: dict[str, list[tuple]]

    @property
    def ids(self) -> list[Any]:
        """As they are sent, and as a thief of the database would know them."""
        rows = [*self.own, *self.theirs]
        return [*(str(row.uid) for row in rows), *(row.pk for row in self.theirs)]


def rows_of(account: Any, word: str) -> list[Any]:
    """One of everything in outreach; what can be read says the word."""
    contact = factories.ContactFactory(account=account, first_name=word)
    mailbox = factories.MailboxFactory(account=account, name=word, email=f"{word}@example.net")
    profile = factories.LinkedInAccountFactory(account=account, name=word)
    campaign = factories.CampaignFactory(account=account, name=word)
    campaign.mailboxes.add(mailbox)
    campaign.linkedin_accounts.add(profile)
    step = factories.SequenceStepFactory(account=account, campaign=campaign, number=1)
    place = factories.EnrolmentFactory(account=account, campaign=campaign, contact=contact, mailbox=mailbox)
    message = factories.MessageFactory(account=account, enrolment=place, mailbox=mailbox, subject=word)
    talk = factories.ConversationFactory(account=account, mailbox=mailbox, contact=contact, name=word)
    said = factories.IncomingFactory(account=account, mailbox=mailbox, conversation=talk, text=word)
    return [contact, mailbox, profile, campaign, step, place, message, talk, said]


@pytest.fixture
def world(db, request) -> World:
    route: Route = request.getfixturevalue("route")
    mine, other = factories.AccountFactory(), factories.AccountFactory(name=CANARY)
    own, theirs = rows_of(mine, "own"), rows_of(other, CANARY)
    row = made_for(route, mine) if "{" in route.path else own[0]
    client = route.dialect.client(key_of(mine))
    return World(own, theirs, client, row, stored_rows())


def paths(route: Route, world: World) -> st.SearchStrategy[str]:
    """The path, with the row's own name more often than a foreign one or nonsense."""
    if "{" not in route.path:
        return st.just(route.path)
    own = route.dialect.identify(world.row)
    prefix = own[: len(own) - 32] if route.dialect.name == "sendpilot" else ""
    foreign = [prefix + (row.uid.hex if prefix else str(row.uid)) for row in world.theirs]
    odd = [quote(text.encode("utf-8", "surrogatepass"), "") for text in nasty.TEXTS if text]
    name = st.one_of(st.just(own), st.just(own), st.sampled_from(foreign), st.sampled_from(odd))
    return name.map(lambda it: re.sub(r"\{\w+\}", it.replace("\\", r"\\"), route.path))


def usual_of(route: Route) -> dict[str, Any]:
    """Every field that the body may have, each with some value."""
    if route.dialect.name == "sendpilot":
        return SENDPILOT
    view: Any = route.view
    taken = view.inputs.get(route.callback.actions[route.method.lower()], view.input_class)
    return dict.fromkeys(taken().fields, "x") if taken else {}


def check(answer: Any, world: World, dialect: str) -> None:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code < 500, content
    assert CANARY.encode() not in content
    if answer.status_code < 400:
        return
    told = answer.json()
    assert set(told) == ({"error"} if dialect == "native" else {"statusCode", "message", "error"}), told
    assert stored_rows() == world.before


@pytest.mark.parametrize("route", **by_name(ROUTES))
def test_whatever_is_asked_is_answered_in_the_words_of_the_api(route, world):
    usual = usual_of(route)
    names = [*usual, "id", "account", "account_id"]

    @PROBES
    @given(
        method=st.sampled_from([route.method] * 8 + ["TRACE", "PATCH", "FOO"]),
        path=paths(route, world),
        query=nasty.queries(PARAMETERS, world.ids),
        body=nasty.bodies(usual, names, world.ids),
        headers=st.sampled_from(nasty.HEADERS),
    )
    def attack(method, path, query, body, headers):
        with transaction.atomic():
            answer = world.client.generic(method, f"{path}?{query}", *body, **headers)
            check(answer, world, route.dialect.name)
            transaction.set_rollback(True)

    attack()


def test_there_are_routes_to_attack():
    assert len([route for route in ROUTES if route.dialect.name == "native"]) > 40
    assert len([route for route in ROUTES if route.dialect.name == "sendpilot"]) > 15
