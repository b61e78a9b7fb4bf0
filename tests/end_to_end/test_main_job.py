"""The main job on real processes: import, mail, webhooks, while the worker is killed and Redis is emptied."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.end_to_end.installation import Installation, OwnRedis, installed, wait_until
from tests.sinks import HttpReceiver, Request, SmtpSink

pytestmark = pytest.mark.end_to_end

# MAIN_JOB_ROWS=10000 tells the whole length; what a commit has to wait for is shorter.
ROWS = int(os.environ.get("MAIN_JOB_ROWS", "1000"))
BAD = 37
GOOD = ROWS - BAD
MAILBOXES = 16  # more than threads, so that others go on while the dead worker's leases run out
SENDING_THREADS = 4
KILL_AT = (ROWS // 7, ROWS // 2)  # mails at the sink
FIRST = ("Zoë", "François", "Jürgen", "Mónica", "Søren", "Anaïs", "Grace", "Björn", "Chloé", "Ada")
LAST = ("Müller", "Lefèvre", "Núñez", "Hopper", "Åkesson", "O'Brien", "García", "Weiß", "Dupont", "Lovelace")
COMPANIES = ("Café Noir", "Straßenbau Köln", "Loretta Inc.", "Núcleo", "Ødegård AS")
FAULTS = ("not-an-address", "@nobody.example", "two words@example.com")


def write_people(path: Path) -> None:
    """A CP1252 file as a German spreadsheet writes it: semicolons, umlauts, and 37 rows that cannot go in."""
    bad = {50 + ROWS // 40 * n for n in range(BAD)}
    lines = ["Vorname;Nachname;E-Mail;Firma;Position;Ort"]
    for n in range(ROWS):
        first, last = FIRST[n % 10], LAST[n // 10 % 10]
        address = FAULTS[n % 3] if n in bad else f"person{n}@kunde{n % 400}.example"
        lines.append(f"{first};{last};{address};{COMPANIES[n % 5]};Einkäufer;München")
    path.write_bytes("\r\n".join(lines).encode("cp1252"))


class VerifyingReceiver(HttpReceiver):
    """Verifies every webhook as it comes, as a careful receiver does, and remembers the events it told of."""

    def __init__(self):
        super().__init__(200)
        self.verifier: Webhook | None = None
        self.events: dict[str, set[str]] = defaultdict(set)

    def take(self, request: Request) -> int:
        assert self.verifier is not None
        body = self.verifier.verify(request.body, request.headers)  # raises: the answer is then no 200
        self.events[body["type"]].add(body["data"]["id"])
        return 200


@pytest.fixture
def installation(tmp_path) -> Iterator[tuple[Installation, OwnRedis | None]]:
    with installed(tmp_path, settings="tests.end_to_end.quick_settings") as running:
        yield running


def test_nothing_is_lost_and_nobody_is_mailed_twice(installation, tmp_path):
    up, redis = installation
    up.create_account()
    write_people(tmp_path / "people.csv")

    with SmtpSink(keep=True) as sink, VerifyingReceiver() as receiver:
        webhook = up.post("/api/webhooks", {"url": receiver.url, "events": ["*"], "description": "test"})
        receiver.verifier = Webhook(webhook["secret"])
        up.patch("/api/account", {"postal_address": "1 Main Street, 80331 München"})
        job = import_people(up, tmp_path / "people.csv")
        campaign = start_campaign(up, sink.port, job["id"])
        for mails in KILL_AT:
            wait_until(lambda mails=mails: sink.count >= mails, seconds=240, what=lambda: state(up, campaign))
            up.kill_worker()
            if redis:
                assert redis.command(b"FLUSHALL") == b"+OK\r\n"
        wait_until(lambda: is_finished(up, campaign), seconds=420, what=lambda: state(up, campaign))
        messages = up.every(f"/api/campaigns/{campaign}/messages?order=id")
        sent_events = [event for event in journal(up) if event["name"] == "message.sent"]
        wait_until(
            lambda: receiver.events["message.sent"] >= {event["id"] for event in sent_events},
            seconds=240,
            what=lambda: {name: len(ids) for name, ids in receiver.events.items()},
        )
        wait_until(lambda: len(receiver.events["contact.created"]) == GOOD, seconds=60)

    check_mail(sink, messages)
    sent = {message["id"] for message in messages if message["status"] == "sent"}
    assert {event["data"]["object"]["id"] for event in sent_events} == sent
    assert receiver.events["message.sent"] == {event["id"] for event in sent_events}


def import_people(up: Installation, file: Path) -> dict:
    job = up.upload("/api/contacts/import", file)
    path = f"/api/imports/{job['id']}"
    wait_until(lambda: up.get(path)["status"] in ("done", "failed"), seconds=180, what=lambda: up.get(path))
    job = up.get(path)
    assert (job["status"], job["created"], job["rejected"]) == ("done", GOOD, BAD)
    assert job["encoding"].lower() in ("cp1252", "windows-1252")
    assert up.get("/api/contacts?limit=1&include=total")["pagination"]["total"] == GOOD
    return job


def start_campaign(up: Installation, port: int, job: str) -> str:
    mailboxes = [
        up.post(
            "/api/email-accounts",
            {
                "email": f"sales{n}@pipelime.example",
                "name": "Sam Sales",
                "smtp": {"host": "127.0.0.1", "port": port, "security": "none"},
                "daily_limit": 50_000,
            },
        )["id"]
        for n in range(MAILBOXES)
    ]
    campaign = up.post(
        "/api/campaigns",
        {
            "name": "Spring",
            "steps": [
                {
                    "channel": "email",
                    "subject": "Hello {{ first_name }}",
                    "body": "Dear {{ first_name }} of {{ company }}",
                },
                {
                    "channel": "email",
                    "delay": {"days": 0},
                    "subject": "",
                    "body": "Any thoughts, {{ first_name }}?",
                },
            ],
            "email_account_ids": mailboxes,
        },
    )["id"]
    added = up.post(f"/api/campaigns/{campaign}/contacts", {"import_id": job})
    assert added["added"] == GOOD
    up.post(f"/api/campaigns/{campaign}/start")
    return campaign


def is_finished(up: Installation, campaign: str) -> bool:
    return up.get(f"/api/campaigns/{campaign}")["status"] == "FINISHED"


def state(up: Installation, campaign: str) -> dict:
    return up.get(f"/api/campaigns/{campaign}")


def journal(up: Installation) -> list[dict]:
    events: list[dict] = []
    while page := up.get(f"/api/events?after={events[-1]['position'] if events else 0}&limit=100")["data"]:
        events += page
    return events


def check_mail(sink: SmtpSink, messages: list[dict]) -> None:
    step_of = {message["message_id"]: message["step"] for message in messages}
    message_id = re.compile(rb"^Message-ID: (\S+)\r$", re.MULTILINE)
    ids = [message_id.search(arrival.data)[1].decode() for arrival in sink.arrivals]
    got = Counter(
        (arrival.recipients[0], step_of[mid]) for arrival, mid in zip(sink.arrivals, ids, strict=True)
    )
    assert [twice for twice, times in got.items() if times > 1] == []

    ambiguous = [message for message in messages if message["status"] == "ambiguous"]
    assert len(ambiguous) <= len(KILL_AT) * SENDING_THREADS
    live = [message for message in messages if message["status"] != "cancelled"]
    assert {message["status"] for message in live} <= {"sent", "ambiguous"}

    first_step = {address for address, step in got if step == 1}
    unsure = {message["to"] for message in ambiguous if message["step"] == 1}
    assert len(first_step | unsure) == GOOD
    assert {message["message_id"] for message in messages if message["status"] == "sent"} <= set(ids)
    sent = {(message["to"], message["step"]) for message in live if message["status"] == "sent"}
    stopped = {message["to"] for message in ambiguous}
    assert all((address, 2) in sent or address in stopped for address in first_step)
