"""Mailboxes over the API: connecting, changing, testing; passwords never come back."""

import pytest

from outreach.models import EmailAccount
from tests.api.moments import in_full
from tests.factories import MailboxFactory
from tests.sinks import Drip, SmtpSink

SMTP = {
    "host": "mail.example.com",
    "port": 587,
    "security": "starttls",
    "username": "sam",
    "password": "s3cret!",
}
SAM = {"email": "sam@example.com", "name": "Sam", "smtp": SMTP, "daily_limit": 50, "signature": "Best,\nSam"}
SHOWN = {name: value for name, value in SMTP.items() if name != "password"}


def post(native, body: dict, path: str = ""):
    return native.post(f"/api/email-accounts{path}", body, format="json")


def details(answer) -> dict:
    assert answer.status_code == 422, answer.content
    return answer.json()["error"]["details"]


def test_an_e_mail_account_is_answered_in_full_but_for_its_passwords(native):
    imap = {**SMTP, "host": "imap.example.com", "port": 993, "security": "tls"}
    answer = post(native, {**SAM, "imap": imap})

    mailbox = EmailAccount.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(mailbox.uid),
        "email": "sam@example.com",
        "name": "Sam",
        "owner": None,
        "login": "password",
        "smtp": SHOWN,
        "imap": {**SHOWN, "host": "imap.example.com", "port": 993, "security": "tls"},
        "daily_limit": 50,
        "gap_seconds": 0,
        "gap_jitter_seconds": 0,
        "ramp_up": None,
        "signature": "Best,\nSam",
        "time_zone": "",
        "is_paused": False,
        "pause_reason": "",
        "paused_at": None,
        "created_at": in_full(mailbox.created_at),
        "updated_at": in_full(mailbox.updated_at),
    }
    assert (mailbox.smtp_password, mailbox.imap_password) == ("s3cret!", "s3cret!")
    for read in (native.get("/api/email-accounts"), native.get(f"/api/email-accounts/{mailbox.uid}")):
        assert b"s3cret" not in read.content


def test_a_mailbox_is_connected_once(native, account):
    known = MailboxFactory(account=account, email="sam@example.com")

    answer = post(native, SAM)

    assert answer.status_code == 409
    assert answer.json()["error"]["details"] == {"existing_id": [str(known.uid)]}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"smtp": None}, "smtp"),
        ({"smtp": {}}, "smtp.host"),
        ({"smtp": {**SMTP, "user": "sam"}}, "smtp.user"),
        ({"smtp": {**SMTP, "security": "ssl"}}, "smtp.security"),
        ({"smtp": {**SMTP, "port": 0}}, "smtp.port"),
        ({"imap": {"host": "imap.example.com", "port": "x"}}, "imap.port"),
        ({"email": "nobody"}, "email"),
        ({"daily_limit": 0}, "daily_limit"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ],
)
def test_a_mistake_is_named_by_its_place(native, change, field):
    answer = post(native, {**SAM, **change})

    assert list(details(answer)) == [field]
    assert EmailAccount.objects.count() == 0


def test_a_change_keeps_the_password_that_it_leaves_out(native):
    made = post(native, SAM).json()

    answer = native.patch(f"/api/email-accounts/{made['id']}", {"smtp": {"port": 465}}, format="json")

    assert answer.json()["smtp"] == {**SHOWN, "port": 465}
    assert EmailAccount.objects.get().smtp_password == "s3cret!"


def test_an_address_cannot_be_changed(native, account):
    mailbox = MailboxFactory(account=account)

    answer = native.patch(f"/api/email-accounts/{mailbox.uid}", {"email": "new@example.com"}, format="json")

    assert list(details(answer)) == ["email"]


def test_imap_is_disconnected_by_null(native):
    made = post(native, {**SAM, "imap": SMTP}).json()

    answer = native.patch(f"/api/email-accounts/{made['id']}", {"imap": None}, format="json")

    assert answer.json()["imap"] is None


def test_a_disconnected_mailbox_is_gone(native, account):
    mailbox = MailboxFactory(account=account)

    assert native.delete(f"/api/email-accounts/{mailbox.uid}").status_code == 204

    assert native.get(f"/api/email-accounts/{mailbox.uid}").status_code == 404
    assert native.get("/api/email-accounts").json()["data"] == []


def test_a_mailbox_is_paused_with_a_reason_and_resumed(native, account):
    path = f"/api/email-accounts/{MailboxFactory(account=account).uid}"

    paused = native.post(f"{path}/pause", {"reason": "holiday"}, format="json").json()
    listed = native.get("/api/email-accounts?is_paused=true").json()["data"]
    resumed = native.post(f"{path}/resume", {}, format="json").json()

    assert (paused["is_paused"], paused["pause_reason"]) == (True, "holiday")
    assert listed == [paused]
    assert (resumed["is_paused"], resumed["paused_at"]) == (False, None)


def test_the_server_s_own_words_are_answered_before_and_after_connecting(native, settings):
    with SmtpSink({"greeting": "220 sink.example at your service"}) as sink:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{sink.port}"]
        smtp = {"host": "127.0.0.1", "port": sink.port, "security": "none"}
        before = post(native, {"smtp": smtp}, "/test").json()
        stored = EmailAccount.objects.count()
        made = post(native, {**SAM, "smtp": smtp}).json()
        after = native.post(f"/api/email-accounts/{made['id']}/test").json()

    assert (before["ok"], before["imap"], stored) == (True, None, 0)
    assert "at your service" in before["smtp"]["detail"]
    assert after == before


def test_a_server_that_is_not_there_is_no_error_of_ours(native, account, settings):
    settings.OUTBOUND_ALLOW = []
    mailbox = MailboxFactory(account=account)

    answer = native.post(f"/api/email-accounts/{mailbox.uid}/test")

    assert answer.status_code == 200
    assert (answer.json()["ok"], answer.json()["smtp"]["ok"]) == (False, False)


def test_only_administrators_connect_mailboxes(client, account, seller):
    client.force_login(seller)

    refused = client.post("/api/email-accounts", SAM, content_type="application/json")

    assert refused.status_code == 403
    assert client.get("/api/email-accounts").status_code == 200


def test_pace_is_set_and_answered(native):
    made = post(
        native, {**SAM, "gap_seconds": 60, "ramp_up": {"from": 10, "by": 5, "on": "2027-03-01"}}
    ).json()

    changed = native.patch(
        f"/api/email-accounts/{made['id']}",
        {"gap_jitter_seconds": 30, "ramp_up": {"by": 20}},
        format="json",
    ).json()
    ended = native.patch(f"/api/email-accounts/{made['id']}", {"ramp_up": None}, format="json").json()

    assert made["ramp_up"] == {"from": 10, "by": 5, "on": "2027-03-01"}
    assert (changed["gap_seconds"], changed["gap_jitter_seconds"]) == (60, 30)
    assert changed["ramp_up"] == {"from": 10, "by": 20, "on": "2027-03-01"}
    assert ended["ramp_up"] is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"gap_seconds": -1}, "gap_seconds"),
        ({"gap_jitter_seconds": 100_000}, "gap_jitter_seconds"),
        ({"ramp_up": {"from": 0, "by": 1}}, "ramp_up.from"),
        ({"ramp_up": {"from": 5}}, "ramp_up.by"),
        ({"ramp_up": {"by": 5}}, "ramp_up.from"),
        ({"ramp_up": {"from": 5, "by": 5, "on": "soon"}}, "ramp_up.on"),
    ],
)
def test_a_pace_that_cannot_be_is_named(native, given, field):
    assert list(details(post(native, {**SAM, **given}))) == [field]


def test_a_refresh_token_goes_in_and_never_comes_out(native, settings):
    client = {"client_id": "ours", "client_secret": "", "auth_url": "", "token_url": ""}
    settings.MAIL_PROVIDERS = {"google": client, "microsoft": {**client, "client_id": ""}}
    given = {"email": "sam@example.com", "login": "google", "refresh_token": "1//secret"}

    answer = post(native, given)
    other = post(native, {**given, "email": "ann@example.com", "login": "microsoft"})

    assert answer.status_code == 201
    assert (answer.json()["login"], answer.json()["smtp"]["host"]) == ("google", "smtp.gmail.com")
    assert b"1//secret" not in answer.content
    assert EmailAccount.objects.get().refresh_token == "1//secret"
    assert "PIPELIME_MICROSOFT_CLIENT_ID" in str(details(other)["login"])


def test_a_test_of_servers_that_drip_ends_in_time(native, settings, monkeypatch):
    monkeypatch.setattr("outreach.trying.SECONDS", 0.5)
    with SmtpSink({"greeting": Drip("220 " + "x" * 500)}) as sink:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{sink.port}"]
        server = {"host": "127.0.0.1", "port": sink.port, "security": "none"}

        told = native.post("/api/email-accounts/test", {"smtp": server, "imap": server}, format="json").json()

    assert told["ok"] is told["smtp"]["ok"] is told["imap"]["ok"] is False
    assert "closed the connection" in told["smtp"]["detail"]
