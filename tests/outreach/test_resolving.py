"""Doubts that end by themselves: a copy in the Sent folder, a bounce or a reply names the message."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from outreach.connections import open_imap
from outreach.models import Campaign, Message
from outreach.resolving import resolve
from outreach.settling import settle, settle_by_evidence
from pipelime.events.models import Event
from tests import imap_server
from tests.factories import CampaignFactory, EnrolmentFactory, MailboxFactory, MessageFactory


@pytest.fixture
def imap(settings):
    with imap_server.serving() as server:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{server.port}"]
        yield server


@pytest.fixture
def mailbox(account, imap):
    return MailboxFactory(
        account=account, imap_host="127.0.0.1", imap_port=imap.port, imap_security="none",
        imap_username=imap.login, imap_password=imap.password,
    )  # fmt: skip


@pytest.fixture
def doubt(account, mailbox):
    campaign = CampaignFactory(account=account, status=Campaign.Status.FINISHED)
    enrolment = EnrolmentFactory(account=account, campaign=campaign, state="in_flight")
    return MessageFactory(
        account=account, mailbox=mailbox, enrolment=enrolment, state="ambiguous",
        due_at=timezone.now() - timedelta(hours=1), last_error="the server closed the connection",
    )  # fmt: skip


def looked_up(mailbox) -> int:
    with open_imap(mailbox) as server:
        return resolve(mailbox, server)


def keep_copy(imap, message, folder: str = "Gesendet", flags: str = "\\HasNoChildren \\Sent") -> None:
    imap.folders.setdefault(folder, imap_server.Folder(flags=flags))
    imap.folders[folder].put(f"Message-ID: {message.message_id}\r\nSubject: Hello\r\n\r\nHi\r\n".encode())


def test_a_copy_in_the_sent_folder_ends_the_doubt(doubt, mailbox, imap):
    keep_copy(imap, doubt)

    assert looked_up(mailbox) == 1

    doubt.refresh_from_db()
    event = Event.objects.get(name="message.settled")
    assert (doubt.state, doubt.last_error, doubt.settled_at is not None) == ("sent", "", True)
    assert (event.actor, event.data["evidence"]) == (None, "its copy is in the folder Gesendet")
    assert doubt.campaign.refresh_from_db() is None
    assert doubt.campaign.status == "STARTED"  # it goes on with whoever got the mail after all


def test_a_server_that_does_not_say_which_folder_it_is_is_asked_by_the_usual_names(doubt, mailbox, imap):
    keep_copy(imap, doubt, folder="Sent Items", flags="")

    assert looked_up(mailbox) == 1


def test_no_copy_proves_nothing(doubt, mailbox, imap):
    keep_copy(imap, Message(message_id="<another@example.com>"))

    assert looked_up(mailbox) == 0

    doubt.refresh_from_db()
    assert doubt.state == "ambiguous"


@pytest.mark.parametrize("age", [timedelta(minutes=1), timedelta(days=15)])
def test_what_is_too_young_or_too_old_is_not_looked_for(doubt, mailbox, imap, age):
    Message.objects.filter(pk=doubt.pk).update(due_at=timezone.now() - age)
    keep_copy(imap, doubt)

    assert looked_up(mailbox) == 0


def test_the_doubts_of_other_mailboxes_are_left_to_theirs(doubt, mailbox, account, imap):
    Message.objects.filter(pk=doubt.pk).update(mailbox=MailboxFactory(account=account))
    keep_copy(imap, doubt)

    assert looked_up(mailbox) == 0


def test_only_the_sent_folder_is_opened_and_only_to_read(doubt, mailbox, imap):
    keep_copy(imap, doubt)

    looked_up(mailbox)

    opened = [command for command in imap.commands if command.split()[0] in ("SELECT", "EXAMINE")]
    assert opened == ['EXAMINE "Gesendet"']


def test_evidence_that_comes_before_the_second_sending_prevents_it(doubt, user):
    settle(doubt, by=user, outcome="send_again")

    assert settle_by_evidence(doubt, evidence="a bounce names it") is True

    assert Message.objects.get().state == "sent"


@pytest.mark.parametrize("state", ["queued", "claimed", "sending", "sent", "failed", "cancelled"])
def test_where_there_is_no_doubt_evidence_changes_nothing(doubt, state):
    Message.objects.filter(pk=doubt.pk).update(state=state)

    assert settle_by_evidence(doubt, evidence="a reply names it") is False

    assert Message.objects.get().state == state
    assert not Event.objects.filter(name="message.settled").exists()
