"""A host of its own for recipients of mail shows them what they need, and nobody anything else."""

from __future__ import annotations

import pytest

from outreach.unsubscribing import token_for
from tests.factories import MessageFactory

CLOSED = [
    "/", "/admin/", "/admin/login/", "/api/contacts", "/api/docs", "/v1/x", "/readyz", "/metrics",
    "/forgotten/", "/files/x", "/inbound/x/y", "/u", "/U/x", "//admin/",
]  # fmt: skip


@pytest.fixture
def two_hosts(settings):
    settings.ALLOWED_HOSTS = ["*"]
    settings.PIPELIME_URL = "https://crm.acme.example"
    settings.PIPELIME_PUBLIC_URL = "https://go.acme.example"


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("host", ["go.acme.example", "GO.acme.example:443", "go.acme.example."])
def test_the_public_host_hides_the_workspace(client, db, two_hosts, path, host):
    answer = client.get(path, headers={"Host": host})

    assert (answer.status_code, answer.content) == (404, b"There is nothing here.\n")


def test_the_public_host_serves_recipients(client, account, two_hosts):
    token = token_for(MessageFactory(account=account).uid)

    answers = [
        client.get(path, headers={"Host": "go.acme.example"}).status_code
        for path in (f"/u/{token}", "/healthz", "/robots.txt")
    ]

    assert answers == [200, 200, 200]
    assert b"does not work" in client.get("/c/x", headers={"Host": "go.acme.example"}).content


def test_the_workspace_s_own_host_serves_everything(client, account, two_hosts):
    token = token_for(MessageFactory(account=account).uid)

    answers = [
        client.get(path, headers={"Host": "crm.acme.example"}).status_code
        for path in (f"/u/{token}", "/admin/login/", "/healthz")
    ]

    assert answers == [200, 200, 200]


@pytest.mark.parametrize("host", ["crm.acme.example", "evil.example", "[", "go.acme.example.evil.example"])
def test_other_hosts_are_not_taken_for_the_public_one(client, db, two_hosts, settings, host):
    assert client.get("/healthz", headers={"Host": host}).status_code == 200
    assert client.get("/admin/login/", headers={"Host": host}).content != b"There is nothing here.\n"


def test_with_one_host_nothing_changes(client, db, settings):
    settings.ALLOWED_HOSTS = ["*"]
    settings.PIPELIME_URL = settings.PIPELIME_PUBLIC_URL = "https://crm.acme.example"

    assert client.get("/admin/login/", headers={"Host": "crm.acme.example"}).status_code == 200
