"""The addresses that anybody may call, without a session or a key: links of mails and calls of providers."""

from __future__ import annotations

from urllib.parse import quote
from uuid import uuid4

import orjson
import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outreach.linkedin.hooks import token_of
from outreach.models import LinkedInAccount, Message, SequenceStep, TrackedLink, Visit
from outreach.tracking import links_to, token_for
from outreach.unsubscribing import token_for as leaving_token
from pipelime.scope import account_scope
from tests.api.asking import stored_rows
from tests.attacks import nasty
from tests.factories import (
    AccountFactory,
    ContactFactory,
    EnrolmentFactory,
    LinkedInAccountFactory,
    MessageFactory,
)

GRACE = "https://www.linkedin.com/in/grace-hopper"
PROBES = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def message(account) -> Message:
    return MessageFactory(account=account, state="sent")


@pytest.fixture
def worked(account) -> LinkedInAccount:
    """An account that a provider works, with one contact that it writes to."""
    row = LinkedInAccountFactory(
        account=account, provider="unipile", provider_url="https://api1.unipile.com:13111",
        provider_account="acc-1", provider_key="k3y", hook_key="hook",
    )  # fmt: skip
    contact = ContactFactory(account=account, linkedin_url=GRACE)
    EnrolmentFactory(account=account, contact=contact, linkedin_account=row)
    return row


def tokens(message: Message) -> list[str]:
    return [
        leaving_token(message.uid), leaving_token(uuid4()), token_for(message.uid),
        token_for(message.uid, 2**63), token_for(uuid4(), 1),
    ]  # fmt: skip


def mangled(token: str) -> st.SearchStrategy[str]:
    """One character exchanged, added or gone."""
    places = st.tuples(
        st.integers(0, len(token) - 1), st.sampled_from(["", "A", "_", "=", "é", "٣", "\x00", token])
    )
    return places.map(lambda it: token[: it[0]] + it[1] + token[it[0] + 1 :]).filter(token.__ne__)


def test_no_address_but_ours_does_anything(message):
    """A forged one is 404, whatever is sent to it, and nothing is written."""
    forged = st.sampled_from(tokens(message)).flatmap(mangled) | st.sampled_from(nasty.TEXTS)
    before = stored_rows()

    @PROBES
    @given(
        door=st.sampled_from(
            [
                "/u/{}",
                "/o/{}.gif",
                "/c/{}",
                "/inbound/linkedin/{}",
                "/admin/outreach/emailaccount/connected/google/?code=x&state={}",
            ]
        ),
        token=forged,
        method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS"]),
        headers=st.sampled_from(nasty.HEADERS),
    )
    def attack(door, token, method, headers):
        path = door.format(quote(token.encode("utf-8", "surrogatepass"), safe="=-_"))
        answer = Client(raise_request_exception=False).generic(
            method, path, b"{}", "application/json", **headers
        )
        assert answer.status_code < 500, path
        assert answer.status_code >= 300, path
        assert not answer.get("Location", "/").startswith("//")

    attack()

    assert stored_rows() == before


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//evil.example/",
        "/\\evil.example", "https://user@evil.example/", "https://shop.example@evil.example/", "https://evil.example\\@shop.example",
        "https:///evil.example", "https://[::1", "https://shop.example/\r\nSet-Cookie: a=b", "https://\x01evil/",
        "ftp://shop.example/", " https://shop.example/ ", "https:shop.example",
    ],
)  # fmt: skip
def test_a_row_with_a_dangerous_address_leads_nowhere(client, account, message, url):
    """Nothing writes such a row; if one is there nevertheless, its link is dead."""
    link = TrackedLink.objects.create(account=account, url=url, digest=uuid4().hex)

    answer = client.get(f"/c/{token_for(message.uid, link.pk)}")

    assert (answer.status_code, "Location" in answer) == (404, False)


@pytest.mark.parametrize("query", ["?url=https://evil.example/", "?next=//evil.example", "?u=x&u=y", "?%ff"])
def test_nothing_in_an_address_can_lead_elsewhere_than_its_row(client, account, message, query):
    number = links_to(["https://shop.example/a"], account.pk)["https://shop.example/a"]

    answer = client.get(f"/c/{token_for(message.uid, number)}{query}", HTTP_X_FORWARDED_HOST="evil.example")

    assert (answer.status_code, answer["Location"]) == (302, "https://shop.example/a")


def test_a_link_of_another_account_is_not_followed(client, account, message):
    other = AccountFactory()
    with account_scope(other):
        number = links_to(["https://theirs.example/"], other.pk)["https://theirs.example/"]

    assert client.get(f"/c/{token_for(message.uid, number)}").status_code == 404


ODD = st.recursive(
    st.sampled_from(
        [*nasty.SCALARS[:3], *nasty.NUMBERS[:8], *nasty.TEXTS, "a\x00b", "0001-01-01T00:00:00+14:00"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["attendee_provider_id", "attendee_name", "user_id"]), inner, max_size=3
        )
    ),
    max_leaves=4,
)
SHE = {"attendee_provider_id": "x", "attendee_name": "Grace", "attendee_profile_url": GRACE}
SAID = {
    "account_id": "acc-1", "event": "message_received", "chat_id": "chat-1", "message_id": "in-1",
    "message": "Yes", "sender": SHE, "attendees": [], "account_info": {"user_id": "me"},
    "timestamp": "2026-11-20T10:15:00Z",
}  # fmt: skip
RELATED = {
    "account_id": "acc-1", "event": "new_relation", "user_provider_id": "x", "user_full_name": "Grace",
    "user_profile_url": GRACE, "user_public_identifier": "grace-hopper", "timestamp": "2026-11-20T10:15:00Z",
}  # fmt: skip


def written(value) -> bytes:
    return orjson.dumps(value, default=str) if fits(value) else b'"\\ud800"'


def fits(value) -> bool:
    try:
        orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):
        return False
    return True


def changed(usual: dict) -> st.SearchStrategy[bytes]:
    more = st.dictionaries(st.sampled_from(sorted(usual)), ODD, max_size=3)
    inside = st.dictionaries(st.sampled_from(sorted(SHE)), ODD, max_size=2).map(
        lambda odd: {"sender": SHE | odd}
    )
    return (more | inside).map(lambda odd: written(usual | odd))


def test_whatever_a_provider_calls_with_is_taken_or_passed_over(worked):
    door = f"/inbound/linkedin/{token_of(worked)}"

    @PROBES
    @given(body=changed(SAID) | changed(RELATED) | st.sampled_from(nasty.RAW))
    def attack(body):
        with transaction.atomic():
            answer = Client().post(door, body, content_type="application/json")
            assert answer.status_code in (200, 400), answer.content
            transaction.set_rollback(True)

    attack()


def test_a_call_about_another_account_s_profile_changes_nothing(worked):
    other = AccountFactory()
    with account_scope(other):
        theirs = LinkedInAccountFactory(
            account=other, provider="unipile", provider_account="acc-2", provider_key="k", hook_key="hook"
        )
        contact = ContactFactory(account=other, linkedin_url=GRACE)
        EnrolmentFactory(account=other, contact=contact, linkedin_account=theirs)
    before = stored_rows()

    answer = Client().post(
        f"/inbound/linkedin/{token_of(worked)}",
        orjson.dumps({**SAID, "account_id": "acc-2"}),
        content_type="application/json",
    )

    assert answer.json() == {"status": "ignored"}
    assert stored_rows() == before


def test_a_visit_keeps_nothing_of_the_visitor(client, message):
    client.get(f"/o/{token_for(message.uid)}.gif", HTTP_USER_AGENT="Firefox 9931", REMOTE_ADDR="198.51.100.7")

    [visit] = Visit.objects.values()
    assert not [value for value in visit.values() if "9931" in str(value) or "198.51" in str(value)]
    assert set(visit) == {
        "id", "uid", "account_id", "message_id", "link_id", "looks_automatic", "verdict", "at",
    }  # fmt: skip


def test_no_step_can_depend_on_an_open():
    assert set(SequenceStep.Condition.values) == {"replied", "connected", "clicked"}
