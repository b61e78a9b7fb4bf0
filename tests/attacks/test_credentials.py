"""Keys, tokens and log-ins of two vendors' APIs, forged and guessed at; what is kept of the real ones."""

from __future__ import annotations

import base64
from email.parser import BytesParser
from email.policy import default
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail import get_connection
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from crm.leads import create_lead
from pipelime.accounts.keys import issue_token
from pipelime.accounts.models import Account, Notice
from pipelime.accounts.notices import letter
from tests.factories import PipelineFactory, StepFactory
from webhooks.models import Endpoint

HOOK = {"event": "lead.creation", "target_type": "url", "target": "https://hooks.example.com/in"}
FORGED = [
    "ki_", "ki_" + "a" * 43, "ki_" + "\x00" * 43,
    "ki_" + "é" * 43, "ki_" + "'" * 43, "ki_" + "%" * 43, "x" * 43,
    "ki_" + "a" * 10_000, "ki_" + "\ud800" * 43, "ki_abc\x00" + "a" * 43,
]  # fmt: skip
PASSWORD = "correct horse battery staple"


@pytest.fixture
def program(raw_key) -> APIClient:
    return APIClient(headers={"X-API-KEY": raw_key})


@pytest.mark.parametrize("raw", FORGED)
@pytest.mark.parametrize("path", ["/v1/contacts", "/public-api/v1/contacts"])
def test_a_forged_key_in_an_address_is_no_key(account, raw, path):
    written = quote(raw.encode("utf-8", "surrogatepass"))

    assert APIClient().get(f"{path}?api_key={written}").status_code == 401


@pytest.mark.parametrize("raw", [raw for raw in FORGED if raw.isascii()])
@pytest.mark.parametrize("header", ["HTTP_X_API_KEY", "HTTP_X_USER_TOKEN"])
def test_a_forged_key_in_a_header_is_no_key(account, raw, header):
    assert APIClient().get("/api/v2/leads", **{header: raw}).status_code == 401


@pytest.mark.parametrize("raw", ["\x00", "é" * 43, "x" * 10_000])
def test_logging_out_with_a_forged_token_ends_nothing(account, raw):
    assert APIClient().get("/api/v2/auth/logout", HTTP_X_USER_TOKEN=raw).status_code == 304


def test_a_true_token_does_not_open_a_suspended_account(account, user):
    _, token = issue_token(user)
    Account.objects.filter(pk=account.pk).update(suspended_at=timezone.now())

    answer = APIClient().get("/api/v2/leads", HTTP_X_USER_TOKEN=token)

    assert (answer.status_code, answer.json()["type"]) == (402, "suspended_account")


def test_one_address_has_one_number_of_guesses_however_it_is_written(account, user, settings):
    settings.LOGIN_ATTEMPTS = 3
    written = [user.email.upper(), f" {user.email}", quote(user.email, safe="")]
    for email in written:
        assert log_in(email, "wrong").status_code == 401

    assert log_in(user.email, "wrong").status_code == 429


def test_guesses_are_counted_for_the_browser_and_the_api_together(account, user, settings, client):
    settings.LOGIN_ATTEMPTS = 2
    for _ in range(2):
        client.post("/admin/login/", {"username": user.email, "password": "wrong"})

    assert log_in(user.email, "wrong").status_code == 429


def log_in(email: str, password: str):
    coded = base64.b64encode(f"{email}:{password}".encode()).decode()
    return APIClient().get("/api/v2/auth/login", HTTP_AUTHORIZATION=f"Basic {coded}")


def test_neither_key_nor_token_can_be_read_in_any_table(program, raw_key, user):
    user.set_password(PASSWORD)
    user.save()
    program.post("/api/v2/webhooks", HOOK, format="json")
    token = log_in(user.email, PASSWORD).json()["token"]

    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            stored = repr(cursor.fetchall())
            assert [secret for secret in (raw_key, token, PASSWORD) if secret in stored] == [], table
    assert Endpoint.objects.get().secret == raw_key


def test_no_answer_shows_the_key_that_signs(program, raw_key):
    program.post("/api/v2/webhooks", HOOK, format="json")
    program.post("/api/v2/leads", {"title": "A", "description": "x"}, format="json")

    for path in ("webhooks", "webhook_events", "users", "leads"):
        assert raw_key[11:] not in program.get(f"/api/v2/{path}").content.decode()


@pytest.mark.parametrize(
    "target",
    [
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://user:word@127.0.0.1/",
        "https://0.0.0.0/",
        "http://hooks.example.com/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "https://hooks.example.com\r\nX: y/",
        "//hooks.example.com/",
    ],
)
def test_a_webhook_does_not_reach_into_the_machine_or_its_network(program, settings, target):
    settings.OUTBOUND_ALLOW = []

    answer = program.post("/api/v2/webhooks", {**HOOK, "target": target}, format="json")

    assert (answer.status_code, Endpoint.objects.count()) == (422, 0)


@pytest.mark.parametrize(
    "target",
    [
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com, b@example.com",
        "A <a@example.com>",
    ],
)
def test_a_notification_goes_to_one_address(program, target):
    answer = program.post(
        "/api/v2/webhooks", {**HOOK, "target_type": "email", "target": target}, format="json"
    )

    assert (answer.status_code, Endpoint.objects.count()) == (422, 0)


@pytest.mark.parametrize(
    "title", ["A\r\nBcc: evil@example.com", "A\u2028Bcc: evil@example.com", "A\x0bX: y", "é\nX: y"]
)
def test_a_title_adds_no_header_to_the_notice_of_its_assignment(account, user, seller, title):
    StepFactory(account=account, pipeline=PipelineFactory(account=account, is_default=True))
    lead = create_lead(account, by=user, title=title)

    answer = APIClient(headers={"X-USER-TOKEN": issue_token(user)[1]}).post(
        f"/api/v2/leads/{lead.pk}/assign", {"user_id": seller.pk}, format="json"
    )

    sent = letter(
        Notice.objects.get(), get_connection("django.core.mail.backends.dummy.EmailBackend")
    ).message()
    read = BytesParser(policy=default).parsebytes(sent.as_bytes())
    assert answer.status_code == 200
    assert (read["To"], read["Bcc"], read["X"]) == (seller.email, None, None)


@pytest.mark.parametrize("name", ["../../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "....//x"])
def test_the_name_of_a_file_leads_nowhere(program, account, user, name):
    StepFactory(account=account, pipeline=PipelineFactory(account=account, is_default=True))
    lead = create_lead(account, by=user, title="A")

    made = program.post(
        f"/api/v2/leads/{lead.pk}/attachments",
        {"attachment": SimpleUploadedFile(name, b"An offer")},
        format="multipart",
    ).json()

    stored = lead.attachments.get().file
    assert "/" not in made["name"]
    assert "\\" not in made["name"]
    assert stored.startswith(f"attachments/{account.pk}/")
    assert ".." not in stored


@pytest.mark.parametrize("token", ["x", "a:b:c", ":::", "0" * 32 + ":1:x", "é:é:é", "a" * 5_000])
def test_a_forged_link_gives_no_file(client, db, token):
    answer = client.get(f"/files/{quote(token)}")

    assert answer.status_code == 404
