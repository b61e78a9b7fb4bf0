"""Requests that no honest client sends: each is refused in the API's own words, none breaks anything."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest

from outreach import trying
from pipelime.outbound.errors import MAIL_REFUSAL
from tests.factories import MailboxFactory

LISTS = ["contacts", "companies", "leads", "campaigns", "email-accounts", "webhooks"]
OUTSIDE = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
JSON = "application/json"


def cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def fields(answer) -> list[str]:
    assert answer.status_code == 422, answer.content
    return list(answer.json()["error"]["details"])


@pytest.mark.parametrize("moment", OUTSIDE)
@pytest.mark.parametrize("resource", LISTS)
def test_a_moment_that_its_offset_carries_out_of_the_calendar_is_refused(native, resource, moment):
    answer = native.get(f"/api/{resource}", {"created_after": moment})

    assert fields(answer) == ["created_after"]


@pytest.mark.parametrize("value", [*OUTSIDE, "\x00", 5, [], {}, True, "tomorrow", 1e300])
def test_a_forged_cursor_is_refused_whatever_it_holds(native, value):
    answer = native.get("/api/contacts", {"order": "created_at", "cursor": cursor("created_at", value, 1)})

    assert fields(answer) == ["cursor"]


def test_a_nul_in_the_cursor_of_a_text_order_is_refused(native):
    answer = native.get("/api/companies", {"order": "name", "cursor": cursor("name", "a\x00b", 1)})

    assert fields(answer) == ["cursor"]


@pytest.mark.parametrize("number", [-1, 2**63, 10**40, 1e300])
def test_a_row_number_beyond_all_rows_ends_a_list_or_begins_it(native, number):
    answer = native.get("/api/contacts", {"order": "id", "cursor": cursor("id", None, number)})

    assert (answer.status_code, answer.json()["data"]) == (200, [])


def test_an_idempotency_key_on_an_unknown_path_is_still_a_404(native):
    answer = native.post("/api/nothing", {}, format="json", HTTP_IDEMPOTENCY_KEY="once")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_the_page_of_the_api_answers_options_with_405(client, db):
    assert client.options("/api/docs").status_code == 405


@pytest.mark.parametrize("method", ["TRACE", "PUT", "FOO"])
def test_a_wrong_method_is_told_before_wrong_parameters(native, method):
    answer = native.generic(method, "/api/contacts?limit=1")

    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")


def test_a_body_announced_too_large_is_refused_unread(native, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    answer = native.generic("POST", "/api/contacts", b"{}", content_type=JSON, CONTENT_LENGTH="101")

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 500 + b"]" * 500,
        b'{"custom_fields": ' + b'{"a":' * 500 + b"1" + b"}" * 501,
        b'{"first_name": "a", "first_name": "b"}',
        b'{"first_name": NaN}',
        b'{"first_name": "\\u0000"}',
        b'{"first_name": "\\ud800"}',
        b'{"first_name": "\xe9"}',
        '{"first_name": "a"}'.encode("utf-16"),
        b'"text"',
        b"null",
    ],
)
def test_a_body_that_is_no_plain_json_object_is_refused(native, body):
    answer = native.generic("POST", "/api/contacts", body, content_type=JSON)

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "words", ['"', "*", "(", "NOT", "AND OR", "col:x", "\x00", "😀", "a" * 10_000, "%_\\"]
)
@pytest.mark.parametrize("resource", ["contacts", "leads", "companies"])
def test_no_words_break_the_search(native, resource, words):
    answer = native.get(f"/api/{resource}", {"search": words})

    assert answer.status_code in (200, 422)


@pytest.mark.parametrize("parameter", ["limit", "page"])
@pytest.mark.parametrize("number", ["0", "-1", "9" * 30, "1e3", "١", "NaN"])
def test_limits_and_pages_out_of_range_are_refused(native, parameter, number):
    assert fields(native.get("/api/contacts", {parameter: number})) == [parameter]


@pytest.mark.parametrize("order", ["id;drop table", "account__id", "-owner__password", "pk", "\x00", "?"])
def test_a_list_is_ordered_by_documented_names_only(native, order):
    assert fields(native.get("/api/contacts", {"order": order})) == ["order"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "169.254.169.254", "10.0.0.1", "0x7f.1", "::1"])
@pytest.mark.parametrize("port", [22, 25, 5432])
def test_testing_a_mailbox_does_not_tell_open_ports_from_closed_ones(native, settings, host, port):
    settings.OUTBOUND_ALLOW = []
    server = {"host": host, "port": port, "security": "tls"}

    told = native.post("/api/email-accounts/test", {"smtp": server, "imap": server}, format="json").json()

    assert told["imap"] == {"ok": False, "detail": MAIL_REFUSAL}
    assert told["smtp"] == {"ok": False, "detail": f"{host}:{port} cannot be reached: {MAIL_REFUSAL}"}


@pytest.mark.parametrize("part", ["username", "password"])
def test_a_line_break_cannot_begin_a_second_command_at_a_mail_server(native, part):
    server = {"host": "mail.example.com", "port": 587, "username": "sam", "password": "word"}
    server[part] = "sam\r\nx LOGOUT"

    answer = native.post("/api/email-accounts", {"email": "s@example.com", "smtp": server}, format="json")

    assert fields(answer) == [f"smtp.{part}"]


def test_a_password_that_imap_cannot_carry_is_told_and_not_a_500(native, account, monkeypatch):
    mailbox = MailboxFactory(account=account, imap_host="imap.example.com", imap_port=993)
    mailbox.imap_username, mailbox.imap_password = "sam", "pässword"
    mailbox.save()

    class Ascii:
        """imaplib writes what it sends in ASCII."""

        def login(self, username: str, password: str) -> None:
            password.encode("ascii")

    server = Ascii()
    monkeypatch.setattr(trying, "imap_connection", lambda *_: contextlib.nullcontext(server))

    told = native.post(f"/api/email-accounts/{mailbox.uid}/test").json()["imap"]

    assert told["ok"] is False
    assert "ASCII" in told["detail"]
