"""The proof finds each kind of fault, and nothing where there is none."""

from __future__ import annotations

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from outreach.models import CapCounter, Message
from outreach.proving import offences, received_faults
from outreach.settling import mark_sent, settle
from pipelime.events.models import Event
from tests.factories import MessageFactory


@pytest.fixture
def sent(account):
    """A message that went the usual way."""
    message = MessageFactory(account=account, state="sending", fence=1, lease_until=timezone.now())
    mark_sent(message)
    return Message.objects.get()


def found() -> list[tuple[str, str]]:
    return [(offence.check, offence.sentence) for offence in offences(Message.objects.all())]


def change(message, **values) -> None:
    Message.objects.filter(pk=message.pk).update(**values)


def test_an_honest_ledger_has_no_offence(sent, account, user):
    MessageFactory(account=account, state="queued")
    MessageFactory(account=account, state="claimed", fence=1, lease_until=timezone.now())
    settle(MessageFactory(account=account, state="ambiguous", fence=2), by=user, outcome="arrived")

    assert found() == []


def test_a_campaign_that_ran_is_proved_by_what_the_server_received(campaign, started, run, sink, tmp_path):
    started(3)
    run(campaign)
    log = tmp_path / "received.txt"
    log.write_text("\n".join(Message.objects.values_list("message_id", flat=True)))

    assert (
        command("--received", str(log))
        == "Messages: 3 sent. 5 checks.\nNo offence: nobody was mailed twice.\n"
    )


def test_a_step_taken_twice_by_an_enrolment_that_was_deleted_since(sent):
    change(sent, enrolment=None)
    MessageFactory(
        account=sent.account, enrolment=None, campaign=sent.campaign, mailbox=sent.mailbox,
        contact_uid=sent.contact_uid, to_address=sent.to_address, campaign_name="Spring", state="queued",
    )  # fmt: skip

    [(check, sentence)] = found()

    assert check == "each step is taken once"
    assert sentence.endswith("step_number 1: 2 messages that are not cancelled")


def test_a_sent_mail_without_its_event(sent):
    Event.objects.all().delete()

    [(check, sentence)] = found()

    assert check == "sent mails have one event"
    assert sentence == (
        f"message {sent.pk} ({sent.message_id}) to {sent.to_address} is sent and has 0 message.sent events"
    )


def test_a_mail_that_was_marked_as_sent_twice(sent):
    change(sent, state="sending")
    mark_sent(Message.objects.get())

    [(check, sentence)] = found()

    assert (check, sentence.rpartition(" is ")[2]) == (
        "sent mails have one event",
        "sent and has 2 message.sent events",
    )


@pytest.mark.parametrize("state", ["queued", "cancelled", "failed"])
def test_a_mail_that_was_sent_and_is_to_be_sent_again(sent, state):
    change(sent, state=state, sent_at=None)

    [(check, sentence)] = found()

    assert check == "what is unsent was never sent"
    assert sentence.endswith(f"is {state}, but was sent once")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"state": "claimed", "fence": 1}, "is claimed and has no lease"),
        ({"state": "sending", "fence": 1}, "is sending and has no lease"),
        ({"state": "queued", "lease_until": timezone.now()}, "is queued and still has a lease"),
        ({"state": "ambiguous", "fence": 0}, "is ambiguous and was never claimed"),
    ],
)
def test_a_state_that_its_moments_speak_against(account, values, words):
    MessageFactory(account=account, **values)

    [(check, sentence)] = found()

    assert check == "states agree with their moments"
    assert sentence.endswith(words)


@pytest.mark.parametrize(
    ("state", "settled_at", "words"),
    [
        ("sent", None, []),
        ("ambiguous", None, []),
        ("queued", timezone.now(), []),
        ("queued", None, ["<1@x> was received, but its row is queued"]),
        ("failed", None, ["<1@x> was received, but its row is failed"]),
    ],
)
def test_what_was_received_must_be_known_as_sent(account, state, settled_at, words):
    MessageFactory(account=account, message_id="<1@x>", state=state, settled_at=settled_at)

    assert list(received_faults(["<1@x>\n", "\n"], Message.objects.all())) == words


def test_what_was_received_twice_or_from_nowhere(account):
    MessageFactory(account=account, message_id="<1@x>", state="sent")

    faults = received_faults(["<1@x>", "<2@x>", "<1@x>"], Message.objects.all())

    assert list(faults) == ["<2@x> was received, but is in no row", "<1@x> was received twice"]


def test_a_counter_lower_than_its_messages(sent):
    change(sent, mailbox_day=date(2027, 3, 1))
    CapCounter.objects.create(scope=f"mailbox:{sent.mailbox_id}", day=date(2027, 3, 1), used=0)

    with pytest.raises(SystemExit):
        command()


def test_the_command_ends_with_a_status(sent, account, capsys):
    assert "No offence" in command("--account", account.slug)
    Event.objects.all().delete()

    with pytest.raises(SystemExit) as ended:
        command("--account", account.slug)

    assert ended.value.code == 1


def test_an_unknown_account_is_named(db):
    with pytest.raises(CommandError, match="no account 'nobody'"):
        command("--account", "nobody")


def command(*arguments: str) -> str:
    said = StringIO()
    call_command("prove_no_double", *arguments, stdout=said)
    return said.getvalue()
