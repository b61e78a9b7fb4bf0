"""What each refusal of a server means for the message, the address and the mailbox."""

from __future__ import annotations

import pytest

from outreach.models import EmailAccount, Enrolment, Message, Suppression
from outreach.outcomes import blamed
from outreach.smtp_results import Refused
from pipelime.accounts.models import Notice
from pipelime.events.models import Event
from tests.sinks import Drip, Drop, Silence


@pytest.mark.parametrize(
    ("code", "enhanced", "text", "verb", "fault"),
    [
        (550, "5.1.1", "5.1.1 no such user", "RCPT", "address"),
        (550, "", "no such user here", "RCPT", "address"),
        (553, "", "not known", "RCPT", "address"),
        (550, "5.1.1", "5.1.1 no such user", ".", "address"),
        (550, "", "no", ".", "message"),
        (550, "5.1.8", "5.1.8 bad sender", "MAIL", "sender"),
        (550, "5.1.1", "5.1.1 no such user", "MAIL", "message"),
        (550, "5.7.1", "5.7.1 relaying denied", "RCPT", "sender"),
        (554, "5.7.26", "5.7.26 unauthenticated", ".", "sender"),
        (552, "5.2.2", "5.2.2 mailbox full", "RCPT", "time"),
        (552, "5.3.4", "the message has 9 bytes; a takes 1", "", "message"),
        (554, "5.6.0", "5.6.0 bad content", ".", "message"),
    ],
)
def test_a_refusal_is_blamed_on_whom_it_names(code, enhanced, text, verb, fault):
    assert blamed(Refused(code, enhanced, text, verb)) == fault


@pytest.fixture
def answered(started, run, campaign, sink):
    """What became of one contact's first mail when the server answered this."""

    def to(**answers) -> tuple[str, str, bool, bool]:
        sink.answers.update(answers)
        started()
        run(campaign)
        return (
            Message.objects.get().state,
            Enrolment.objects.get().state,
            Suppression.objects.exists(),
            EmailAccount.objects.get().paused_at is not None,
        )

    return to


QUEUED = ("queued", "in_flight", False, False)
REFUSED = ("failed", "stopped", False, False)
BOUNCED = ("failed", "stopped", True, False)
DOUBTFUL = ("ambiguous", "in_flight", False, False)


@pytest.mark.parametrize(
    ("verb", "reply", "outcome"),
    [
        *[(verb, f"{code} 4.3.2 later", QUEUED) for verb in ("RCPT", "dot") for code in (421, 450, 451, 452)],
        ("RCPT", "550 5.1.1 no such user", BOUNCED),
        ("RCPT", "552 5.2.2 mailbox full", REFUSED),
        ("RCPT", "554 5.0.0 transaction failed", REFUSED),
        ("dot", "552 5.3.4 too big", REFUSED),
        ("dot", "554 5.6.0 bad content", REFUSED),
        ("dot", "550 5.7.1 looks like spam", ("cancelled", "waiting", False, True)),
        ("MAIL", Drop("rst"), QUEUED),
        ("RCPT", Drop("fin"), QUEUED),
        ("DATA", Drop("rst"), QUEUED),
        ("dot", Drop("rst"), DOUBTFUL),
        ("dot", Drop("fin"), DOUBTFUL),
    ],
)  # fmt: skip
def test_every_answer_leads_to_one_state(answered, verb, reply, outcome):
    assert answered(**{verb: reply}) == outcome


@pytest.mark.parametrize("verb", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", [Silence(), Drip("250 " + "x" * 200)])
def test_a_server_that_falls_silent_before_the_dot_gets_it_later(answered, monkeypatch, verb, answer):
    monkeypatch.setattr("outreach.connections.REPLY_SECONDS", 0.2)
    monkeypatch.setattr("outreach.sending.REPLY_SECONDS", 0.2)

    assert answered(**{verb: answer})[0] == "queued"


def test_silence_after_the_dot_leaves_a_doubt(answered, monkeypatch):
    monkeypatch.setattr("outreach.sending.VERDICT_SECONDS", 0.2)

    assert answered(dot=Silence()) == DOUBTFUL


def test_a_refused_address_is_a_bounce_on_record(answered, sink):
    answered(RCPT="550 5.1.1 no such user")

    message, event = Message.objects.get(), Event.objects.get(name="message.bounced")
    assert message.bounced_at is not None
    assert (event.data["status_code"], event.data["blame"]) == ("5.1.1", "address")


def test_a_refused_log_in_pauses_after_one_try_and_tells_one_person_once(
    started, run, campaign, mailbox, sink, user
):
    EmailAccount.objects.update(smtp_username="sam", smtp_security="none", owner=user)
    sink.logins, sink.extensions = {}, ["AUTH PLAIN"]
    started(20)

    run(campaign)
    run(campaign)

    assert sink.connections == 1
    assert [(notice.to, notice.subject) for notice in Notice.objects.all()] == [
        (user.email, f"{mailbox.email} is paused")
    ]
    assert not Message.objects.filter(state="failed").exists()


def test_without_an_owner_the_administrators_are_told(answered, user, seller):
    answered(RCPT="550 5.7.1 not from you")

    assert [notice.to for notice in Notice.objects.all()] == [user.email]
    assert "/mailboxes/" in Notice.objects.get().text


def test_encryption_that_is_not_offered_is_never_gone_without(started, run, campaign, mailbox, sink):
    EmailAccount.objects.update(smtp_security="starttls")
    started()

    run(campaign)

    assert sink.arrivals == []
    assert "does not offer STARTTLS" in EmailAccount.objects.get().pause_reason


def test_a_server_without_8bitmime_gets_seven_bits(started, run, campaign, sink):
    sink.extensions = []
    started()

    run(campaign)

    assert sink.arrivals[0].data.isascii()
