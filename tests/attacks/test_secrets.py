"""Secrets at rest and on the way: each is shown once, to whom it belongs, and found nowhere else."""

from __future__ import annotations

import logging

import pytest
from django.apps import apps
from django.db import connection

from outreach.deliverability.domains import make_key
from outreach.mailboxes import log_in_by
from outreach.models import EmailAccount, LinkedInAccount, SendingDomain
from pipelime.events.models import Event
from tests.factories import SendingDomainFactory
from webhooks.models import Delivery, Endpoint

SMTP_WORD, IMAP_WORD, NEW_WORD = "canary-smtp-5117", "canary-imap-8842", "canary-smtp-9903"
PROVIDER_KEY, REFRESH = "canary-unipile-3320", "canary-refresh-6604"
PASSWORD = "canary battery staple 4471"
PAGES = [
    "/admin/",
    "/admin/outreach/emailaccount/",
    "/admin/webhooks/endpoint/",
    "/admin/webhooks/delivery/",
    "/admin/accounts/apikey/",
    "/admin/events/event/",
    "/admin/outreach/linkedinaccount/",
    "/admin/outreach/sendingdomain/",
]
ANSWERS = [
    "/api/account",
    "/api/activity",
    "/api/api-keys",
    "/api/email-accounts",
    "/api/events",
    "/api/linkedin-accounts",
    "/api/messages",
    "/api/sending-domains",
    "/api/users",
    "/api/webhooks",
]


@pytest.fixture
def canaries(native, raw_key, account, user, client, settings) -> dict[str, str]:
    """Every kind of secret, made and changed over the API as callers do, with repeatable requests."""
    user.set_password(PASSWORD)
    user.save()
    client.post("/admin/login/", {"username": user.email, "password": PASSWORD})
    smtp = {"host": "mail.example.com", "port": 587, "username": "sam", "password": SMTP_WORD}
    imap = {**smtp, "port": 993, "security": "tls", "password": IMAP_WORD}
    hook = {"url": "https://hooks.example.com/in", "events": ["*"]}
    key = post(native, "api-keys", {"name": "second", "scopes": ["*"]})["key"]
    made = post(native, "webhooks", hook)
    path = f"/api/email-accounts/{post(native, 'email-accounts', mailbox(smtp, imap))['id']}"
    changed = native.patch(path, {"smtp": {"password": NEW_WORD}}, format="json")
    assert changed.status_code == 200, changed.content
    rotated = post(native, f"webhooks/{made['id']}/rotate-secret", {}, status=200)["secret"]
    words = {"smtp": SMTP_WORD, "new smtp": NEW_WORD, "imap": IMAP_WORD, "password": PASSWORD}
    words |= outreach_canaries(native, account, user, settings)
    return {**words, "key": raw_key, "second key": key, "whsec": made["secret"], "rotated": rotated}


def outreach_canaries(native, account, user, settings) -> dict[str, str]:
    """What is kept to act for somebody: at a provider of LinkedIn, at Google, as a domain that signs."""
    unipile = {
        "kind": "unipile",
        "url": "https://api1.unipile.com:13111",
        "account": "a",
        "key": PROVIDER_KEY,
    }
    profile = {"name": "Ada", "profile_url": "https://www.linkedin.com/in/ada", "provider": unipile}
    post(native, "linkedin-accounts", profile)
    google = {"client_id": "x", "client_secret": "y", "auth_url": "", "token_url": ""}
    settings.MAIL_PROVIDERS = {"google": google, "microsoft": google}
    log_in_by(account, by=user, login="google", email="g@example.com", refresh_token=REFRESH)
    domain = make_key(SendingDomainFactory(account=account), by=user)
    hook = LinkedInAccount.objects.get().hook_key
    pem = max(domain.dkim_key.splitlines()[1:-1], key=len)
    return {"provider key": PROVIDER_KEY, "hook key": hook, "refresh token": REFRESH, "DKIM key": pem}


def mailbox(smtp: dict, imap: dict) -> dict:
    return {"email": "sam@example.com", "smtp": smtp, "imap": imap}


def post(native, path: str, body: dict, status: int = 201) -> dict:
    answer = native.post(f"/api/{path}", body, format="json", HTTP_IDEMPOTENCY_KEY=f"once {path}")
    assert answer.status_code == status, answer.content
    return answer.json()


def found(canaries: dict[str, str], text: str) -> list[str]:
    return [name for name, secret in canaries.items() if secret.removeprefix("whsec_") in text]


def test_no_secret_is_readable_in_any_table(canaries):
    hits = {}
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            hits[table] = found(canaries, repr(cursor.fetchall()))

    assert {table: names for table, names in hits.items() if names} == {}
    assert len(hits) > len(list(apps.get_models())) / 2


def test_no_answer_shows_a_secret_again(native, canaries):
    texts = {path: native.get(path) for path in ANSWERS}

    assert [path for path, answer in texts.items() if answer.status_code != 200] == []
    assert {path: found(canaries, answer.content.decode()) for path, answer in texts.items()} == {
        path: [] for path in ANSWERS
    }


def test_no_page_of_the_workspace_shows_a_secret(client, canaries):
    endpoint = Endpoint.objects.get()
    paths = [*PAGES, f"/admin/webhooks/endpoint/{endpoint.pk}/change/"]
    for model in (EmailAccount, LinkedInAccount, SendingDomain, Delivery, Event):
        name = f"{model._meta.app_label}/{model._meta.model_name}"
        paths += [f"/admin/{name}/{pk}/change/" for pk in model.objects.values_list("pk", flat=True)]

    pages = {path: client.get(path, follow=True) for path in paths}

    assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(paths, 200)
    assert [found(canaries, page.content.decode()) for page in pages.values()] == [[]] * len(paths)


def test_events_and_what_webhooks_are_told_hold_no_secret(canaries):
    told = repr(list(Event.objects.values_list("name", "data")))
    sent = repr(list(Delivery.objects.values_list("body", flat=True)))

    for name in ("mailbox.created", "endpoint.secret_rotated", "linkedin_account.created"):
        assert name in told
    assert "linkedin_account.created" in sent
    assert found(canaries, told + sent) == []


def test_a_replayed_answer_still_shows_what_the_first_one_did(native, canaries):
    again = native.post(
        "/api/api-keys",
        {"name": "second", "scopes": ["*"]},
        format="json",
        HTTP_IDEMPOTENCY_KEY="once api-keys",
    )

    assert again.json()["key"] == canaries["second key"]


def test_a_secret_in_a_refused_request_is_not_logged(native, caplog, capfd):
    body = {"email": "no address", "smtp": {"host": "x", "password": SMTP_WORD}, "odd": SMTP_WORD}

    with caplog.at_level(logging.DEBUG, logger="pipelime"):
        answer = native.post("/api/email-accounts", body, format="json")

    written = capfd.readouterr()
    assert answer.status_code == 422
    assert SMTP_WORD not in answer.content.decode() + caplog.text + written.out + written.err
