import pytest

from outreach.mailboxes import (
    create_mailbox,
    delete_mailbox,
    pause_mailbox,
    resume_mailbox,
    update_mailbox,
)
from outreach.models import EmailAccount, Message
from outreach.trying import test_mailbox
from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from tests.factories import EnrolmentFactory, MailboxFactory, MessageFactory
from tests.sinks import SmtpSink

test_mailbox.__test__ = False  # a verb, not a test
SMTP = {
    "host": "mail.example.com",
    "port": 587,
    "security": "starttls",
    "username": "sam",
    "password": "s3cret",
}


def test_a_mailbox_keeps_its_password_encrypted(account, user):
    mailbox = create_mailbox(account, by=user, email="sam@example.com", smtp=SMTP)

    stored = EmailAccount.objects.get(pk=mailbox.pk)
    assert stored.smtp_password == "s3cret"
    assert "s3cret" not in str(EmailAccount.objects.values().get())
    assert "s3cret" not in str(Event.objects.get().data)


def test_a_mailbox_is_connected_once(account, user):
    mailbox = create_mailbox(account, by=user, email="sam@example.com", smtp=SMTP)

    with pytest.raises(Conflict) as clash:
        create_mailbox(account, by=user, email="SAM@example.com", smtp=SMTP)

    assert clash.value.existing == str(mailbox.uid)


def test_a_disconnected_mailbox_forgets_its_password_and_may_come_back(account, user):
    mailbox = create_mailbox(account, by=user, email="sam@example.com", smtp=SMTP)

    delete_mailbox(mailbox, by=user)

    assert EmailAccount.objects.get(pk=mailbox.pk).smtp_password == ""
    assert create_mailbox(account, by=user, email="sam@example.com", smtp=SMTP).pk != mailbox.pk


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"smtp": {**SMTP, "port": 0}}, "no port"),
        ({"smtp": {**SMTP, "host": ""}}, "host is missing"),
        ({"smtp": {**SMTP, "security": "ssl"}}, "none, starttls, tls"),
        ({"smtp": {**SMTP, "user": "x"}}, "not 'user'"),
        ({"email": "nobody"}, "nobody"),
        ({"daily_limit": 0}, "whole number"),
        ({"time_zone": "Mars/Olympus"}, "no time zone"),
    ],
)
def test_a_mistake_is_named(change, words, account, user):
    with pytest.raises(Invalid, match=words):
        create_mailbox(account, by=user, **{"email": "sam@example.com", "smtp": SMTP, **change})

    assert not EmailAccount.objects.exists()


def test_a_password_left_out_of_a_change_is_kept(account, user):
    mailbox = create_mailbox(account, by=user, email="sam@example.com", smtp=SMTP)

    update_mailbox(mailbox, by=user, smtp={"port": 465, "security": "tls"})

    stored = EmailAccount.objects.get()
    assert (stored.smtp_port, stored.smtp_password) == (465, "s3cret")


def test_a_new_host_does_not_get_the_old_password(account, user):
    mailbox = create_mailbox(account, by=user, email="sam@example.com", smtp=SMTP)

    with pytest.raises(Invalid, match="needs the password again"):
        update_mailbox(mailbox, by=user, smtp={"host": "mail.attacker.example"})

    assert EmailAccount.objects.get().smtp_host == "mail.example.com"


def test_pausing_gives_its_queue_back_to_the_plan(account, user):
    mailbox = MailboxFactory(account=account)
    enrolment = EnrolmentFactory(account=account, state="in_flight")
    MessageFactory(account=account, mailbox=mailbox, enrolment=enrolment)

    pause_mailbox(mailbox, by=user, reason="holiday")
    pause_mailbox(mailbox, by=user, reason="again")
    resume_mailbox(mailbox, by=user)

    enrolment.refresh_from_db()
    assert (Message.objects.get().state, enrolment.state) == ("cancelled", "waiting")
    assert list(Event.objects.order_by("pk").values_list("name", flat=True)) == [
        "mailbox.paused",
        "mailbox.resumed",
    ]


def test_the_connection_test_tells_the_servers_own_words(account, settings):
    with SmtpSink({"greeting": "220 sink.example at your service"}) as sink:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{sink.port}"]
        good = test_mailbox(MailboxFactory(account=account, smtp_port=sink.port))
        sink.answers["greeting"] = "554 5.7.1 not from here"
        bad = test_mailbox(MailboxFactory(account=account, smtp_port=sink.port))

    assert good == {"ok": True, "smtp": {"ok": True, "detail": "sink.example at your service"}, "imap": None}
    assert bad["smtp"] == {"ok": False, "detail": "554 5.7.1 not from here"}


def test_a_server_in_a_private_network_is_not_even_asked(account, settings):
    settings.OUTBOUND_ALLOW = []
    with SmtpSink() as sink:
        answer = test_mailbox(MailboxFactory(account=account, smtp_port=sink.port))

    assert answer["ok"] is False
    assert sink.connections == 0
