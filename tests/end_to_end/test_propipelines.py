"""A client of Pro Pipe Lines moves in: requests, webhooks and mails on real processes."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.end_to_end.client import FORM, Answer, Client
from tests.end_to_end.installation import PASSWORD, Installation, installed, wait_until
from tests.receivers import HttpReceiver

pytestmark = [pytest.mark.end_to_end, pytest.mark.embedded]

PATIENCE = 60  # seconds; a busy machine may need half of them to start a worker anew
ANYBODY = Client("")  # shows no credential


@pytest.fixture(scope="module")
def up(tmp_path_factory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("propipelines")) as (running, _):
        running.create_account()
        yield running


@pytest.fixture(scope="module")
def api(up) -> Client:
    return Client(f"{up.url}/api/v2", X_API_KEY=up.key)


@contextmanager
def listening(api: Client, event: str, target: str, target_type: str = "url") -> Iterator[int]:
    made = api.post("/webhooks", {"event": event, "target": target, "target_type": target_type})
    assert made.status == 201, made
    yield made.json["id"]
    assert api.delete(f"/webhooks/{made.json['id']}").status == 200


def make_lead(api: Client, title: str, **facts: Any) -> dict[str, Any]:
    made = api.post("/leads", {"title": title, "description": "Phone: 0123", **facts})
    assert made.status == 201, made
    return made.json


def events_in(receiver: HttpReceiver) -> list[dict[str, Any]]:
    return [json.loads(request.body)["webhook_event"] for request in receiver.requests]


def signature(event: dict[str, Any], key: str) -> str:
    return hashlib.sha1(f"{event['id']}{key}".encode()).hexdigest()


def sole(found: list[Any]) -> Any:
    assert len(found) == 1, found
    return found[0]


def test_a_key_a_password_and_a_token_are_good_and_nothing_else_is(up, api):
    login = log_in(up, "ada@example.com", PASSWORD)
    person = Client(api.url, X_USER_TOKEN=login.json["token"])

    pong = {"status": 200, "message": "Your API key is correct."}
    assert (login.status, login.json["user_email"], login.json["is_admin"]) == (200, "ada@example.com", True)
    assert [client.get("/ping").json for client in (api, person)] == [pong, pong]
    assert log_in(up, "ada@example.com", "a guess").json == {
        "error": 401,
        "message": "Invalid login or password",
        "type": "invalid_login",
    }
    assert Client(api.url).get("/ping").json["type"] == "unauthorized_missing_token"
    assert person.get("/auth/logout").status == 200
    assert person.get("/ping").json["type"] == "unauthorized_invalid_token"


def log_in(up: Installation, email: str, password: str) -> Answer:
    words = b64encode(f"{email}:{password}".encode()).decode()
    return Client(f"{up.url}/api/v2", Authorization=f"Basic {words}").get("/auth/login")


def test_a_lead_comes_as_json_or_as_form_pairs_and_is_changed(api):
    made = make_lead(
        api, "Fjell AS", description="Email: ola@fjell.example\nPhone: 0123", tags=["hot", "fair"]
    )
    pairs = [("title", "Café"), ("description", "Web: café.example"), ("tags[]", "one"), ("tags[]", "two")]
    formed = api.ask("POST", "/leads", urlencode(pairs).encode(), FORM)

    refused = api.put(f"/leads/{made['id']}", {"amount": 100})
    changes = {"user_id": "ada@example.com", "amount": 1200.5, "probability": 40, "step": "Proposal"}
    changed = api.put(f"/leads/{made['id']}", changes)

    assert (formed.status, formed.json["title"], formed.json["tags"]) == (201, "Café", ["one", "two"])
    assert (refused.status, refused.json["type"]) == (400, "lead_unassigned")
    stored = api.get(f"/leads/{made['id']}").json
    assert stored == changed.json
    assert [stored[name] for name in ("amount", "probability", "step")] == [1200.5, 40, "Proposal"]
    assert stored["extended_info"]["all_contact_emails"] == ["ola@fjell.example"]
    assert sorted(stored["tags"]) == ["fair", "hot"]


def test_whoever_is_given_a_lead_is_mailed(up, api):
    sam = api.post("/users", {"email": "sam@example.com", "firstname": "Sam", "lastname": "Sales"}).json
    lead = make_lead(api, "For Sam")

    assigned = api.post(f"/leads/{lead['id']}/assign", {"user_id": sam["id"]})

    assert (assigned.status, assigned.json["user_id"]) == (200, sam["id"])
    wait_until(lambda: up.mails_to("sam@example.com"), seconds=PATIENCE)
    mail = sole(up.mails_to("sam@example.com"))
    assert mail["Subject"] == "Lead assigned: For Sam"
    assert f"{up.url}/leads/{lead['id']}" in mail.get_content()


@pytest.mark.parametrize("kind", ["multipart/mixed", "multipart/form-data"])
def test_a_file_goes_up_and_comes_down_by_an_address_that_needs_no_credential(api, kind):
    attachments = f"/leads/{make_lead(api, 'With a file')['id']}/attachments"

    made = api.upload(attachments, kind, "attachment", "offer ü.txt", b"12 chairs\n")

    address = api.get(f"{attachments}/{made.json['id']}").json["url"]
    file = ANYBODY.get(address)
    assert (made.status, sole(api.get(attachments).json)["name"]) == (201, "offer ü.txt")
    assert (file.status, file.content) == (200, b"12 chairs\n")
    assert file.headers["Content-Disposition"].startswith("attachment")
    forged = address[:-1] + ("a" if address[-1] != "a" else "b")
    assert ANYBODY.get(forged).status == 404


def test_a_webhook_is_signed_in_its_body_and_comes_again_when_it_failed(up, api):
    with HttpReceiver(500, 200) as receiver, listening(api, "lead.creation", f"{receiver.url}?token=a%20b"):
        lead = make_lead(api, "Heard of")
        wait_until(lambda: len(receiver.requests) == 2, seconds=PATIENCE)
        first, second = events_in(receiver)
        wait_until(lambda: succeeded(api, "lead.creation"), seconds=PATIENCE)

    assert [request.path for request in receiver.requests] == ["/?token=a%20b"] * 2
    assert (first["event"], first["data"]["id"]) == ("lead.creation", lead["id"])
    assert first["signature"] == signature(first, up.key)
    assert [event["try_count"] for event in (first, second)] == [1, 2]
    assert second == {**first, "try_count": 2, "last_returned_code": 500}


def succeeded(api: Client, event: str) -> list[dict[str, Any]]:
    told = api.get("/webhook_events").json
    return [one for one in told if one["event"] == event and one["has_succeeded"]]


def test_what_was_sent_is_listed_with_what_came_back(up, api):
    with HttpReceiver(204) as receiver, listening(api, "lead.deleted", receiver.url):
        lead = make_lead(api, "Told of")
        api.delete(f"/leads/{lead['id']}")
        wait_until(lambda: succeeded(api, "lead.deleted"), seconds=PATIENCE)
        told = sole(succeeded(api, "lead.deleted"))
        alone = api.get(f"/webhook_events/{told['id']}").json

    sent = sole(events_in(receiver))
    assert (told["try_count"], told["last_returned_code"]) == (1, 204)
    assert told["data"] == sent["data"]
    assert told["signature"] == sent["signature"] == signature(told, up.key)
    assert alone == told


def test_a_notification_by_mail_tells_what_was_said_of_the_lead(up, api):
    event = "lead.status.changed.to.won"
    lead = make_lead(api, "Loretta Inc.", user_id="ada@example.com")
    for words in ("They like it", "They sign tomorrow"):
        assert api.post(f"/leads/{lead['id']}/comments", {"content": words}).status == 201

    with listening(api, event, "boss@example.com", "email"):
        assert api.put(f"/leads/{lead['id']}", {"status": "won"}).json["status"] == "Won"
        wait_until(lambda: up.mails_to("boss@example.com"), seconds=PATIENCE)

    mail = sole(up.mails_to("boss@example.com"))
    text = mail.get_content()
    assert mail["Subject"] == f"{event}: Loretta Inc."
    assert text.index("They like it") < text.index("They sign tomorrow")


def test_a_row_of_a_spreadsheet_becomes_a_lead_once(api):
    sheet = api.post("/spreadsheets", {"title": "Calls", "content": [["Company", "Email", "Phone"]]}).json
    rows = f"/spreadsheets/{sheet['id']}/rows"
    row = sole(api.post(rows, {"content": [["Acme", "joe@acme.example", "+33 1 23 45"]]}).json)

    lead = api.post(f"{rows}/{row['id']}/create_lead")

    again = api.post(f"{rows}/{row['id']}/create_lead")
    assert (lead.status, lead.json["title"]) == (201, "Acme")
    assert lead.json["description"] == "Email: joe@acme.example\nPhone: +33 1 23 45"
    assert (again.status, again.json["id"]) == (409, lead.json["id"])


def test_a_mail_becomes_an_unassigned_lead_once_by_whichever_door_it_comes(up, api):
    _, address, door = up.manage("inbound_addresses").strip().split("\t")
    chairs, tables = mail_to(address, "30 chairs"), mail_to(address, "5 tables")

    up.manage("receive_mail", given=chairs)
    answers = [ANYBODY.ask("POST", door, mail, "message/rfc822") for mail in (chairs, tables)]
    wait_until(lambda: titled(api, "5 tables"), seconds=PATIENCE)

    lead = sole(titled(api, "30 chairs"))
    files = f"/leads/{lead['id']}/attachments"
    file = sole(api.get(files).json)
    assert [(answer.status, answer.json) for answer in answers] == [(200, {"status": "accepted"})] * 2
    assert (lead["created_from"], sorted(lead["tags"])) == ("grace@client.example", ["partner", "urgent"])
    assert "Could you send an offer?" in lead["description"]
    assert file["name"] == "plan.txt"
    assert ANYBODY.get(api.get(f"{files}/{file['id']}").json["url"]).content == b"rows of seats\n"


def mail_to(address: str, subject: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Grace Hopper <grace@client.example>", address
    mail["Subject"] = f"{subject} #urgent #partner"
    mail["Message-ID"] = f"<{subject.replace(' ', '-')}@client.example>"
    mail.set_content("Could you send an offer?\n")
    mail.add_attachment("rows of seats\n", filename="plan.txt")
    return mail.as_bytes()


def titled(api: Client, title: str) -> list[dict[str, Any]]:
    return [lead for lead in api.get("/leads/unassigned", limit=1000).json if lead["title"] == title]


def test_a_template_goes_out_of_the_owners_mailbox_and_into_the_history(up, api):
    connect_mailbox(up, "ada@example.com")
    template = up.post(
        "/api/email-templates",
        {
            "name": "Hello",
            "subject": "Hello {{ first_name }}",
            "body": "Dear {{ first_name }}",
            "is_shared": True,
        },
    )
    description = "Firstname: Ola\nEmail: ola@nordmann.example"
    lead = make_lead(api, "Nordmann", description=description, user_id="ada@example.com")

    sent = api.post(
        f"/leads/{lead['id']}/emails/send_email_from_template",
        {"email_template_id": template["number"]},
    )
    wait_until(lambda: sent_mails(api, lead), seconds=PATIENCE, what=lambda: sent)

    mail = sole(up.mails_to("ola@nordmann.example"))
    assert (sent.status, sent.json) == (200, {"message": "Sending email..."})
    assert (mail["X-Envelope-From"], mail["Subject"]) == ("ada@example.com", "Hello Ola")
    assert sole(sent_mails(api, lead))["user"]["email"] == "ada@example.com"


def connect_mailbox(up: Installation, email: str) -> None:
    user = sole(up.get(f"/api/users?email={email}")["data"])
    port = int((up.folder / "mailsink.port").read_text())
    smtp = {"host": "127.0.0.1", "port": port, "security": "none"}
    up.post("/api/email-accounts", {"email": email, "owner_id": user["id"], "smtp": smtp})


def sent_mails(api: Client, lead: dict[str, Any]) -> list[dict[str, Any]]:
    return api.get(f"/leads/{lead['id']}/action_histories", action_type="email_sent").json


def test_whom_a_lead_describes_is_a_contact_of_the_other_dialect(up, api):
    make_lead(api, "Compilers", description="Firstname: Grace\nLastname: Hopper\nEmail: grace@navy.example")

    contacts = Client(up.url, x_api_key=up.key).get("/v1/contacts", limit=100).json["data"]

    found = sole([contact for contact in contacts if contact["email"] == "grace@navy.example"])
    assert (found["first_name"], found["last_name"]) == ("Grace", "Hopper")


def test_an_account_that_has_used_up_its_day_is_told_when_to_come_again(up, api):
    up.patch("/api/account", {"settings": {"requests_per_day": 1}})
    try:
        refused = [api.get("/ping") for _ in range(2)][-1]
    finally:
        up.patch("/api/account", {"settings": {"requests_per_day": None}})

    assert refused.status == 429
    assert refused.json == {"error": 429, "message": "Too many requests", "type": "too_many_requests"}
    assert 1 <= int(refused.headers["API-RETRY-AFTER"]) <= 24 * 3600
    assert api.get("/ping").status == 200
