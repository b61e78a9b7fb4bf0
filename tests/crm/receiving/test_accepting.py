"""The doors' common step: whose mail it is, and that it is kept once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crm.models import ReceivedMail
from crm.receiving import accepting, inbound_address
from crm.receiving.accepting import receive
from pipelime.errors import Invalid
from pipelime.events.models import Event
from pipelime.scope import every_account
from tests.crm.receiving.mails import NASTY, mail
from tests.factories import AccountFactory
from tests.threads import all_at_once

NOON = datetime(2030, 5, 6, 12, tzinfo=UTC)


def kept(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def test_a_mail_is_kept_as_it_came_and_rings_the_bell(
    account, address, folder, bells, django_capture_on_commit_callbacks
):
    content = mail(address, Message_ID="<7@example.org>")

    with django_capture_on_commit_callbacks(execute=True):
        found = receive(content, source="pipe")

    assert kept(folder) == [content]
    assert (found.account, found.state, found.outcome) == (account, "queued", "waiting")
    assert (found.subject, found.sender) == ("Loretta wants an offer", "lea@example.org")
    assert (found.message_id, found.source, found.size) == ("<7@example.org>", "pipe", len(content))
    assert [event.name for event in Event.objects.about(found)] == ["mail.received"]
    assert bells == ["crm.tasks.work_mail"]


def test_the_same_mail_twice_is_kept_once(address, folder):
    content = mail(address)

    first, second = receive(content, source="pipe"), receive(content, source="imap")

    assert first == second
    assert ReceivedMail.objects.count() == 1
    assert kept(folder) == [content]


def test_the_same_mail_to_two_accounts_is_kept_for_each(account, address):
    other = AccountFactory()
    content = mail(address)

    receive(content, source="pipe", recipients=[address])
    receive(content, source="pipe", recipients=[inbound_address(other)])

    with every_account():
        assert sorted(row.account_id for row in ReceivedMail.objects.all()) == sorted([account.pk, other.pk])


def test_an_address_names_its_account_by_the_key(settings, account):
    assert inbound_address(account) == f"{account.slug}+{account.inbound_key}@in.example.com"

    found = receive(mail(f"old-name+{account.inbound_key}@In.Example.com".upper()), source="pipe")

    assert found.account == account


@pytest.mark.parametrize(
    "line",
    [
        "Delivered-To: {}",
        "X-Original-To: <{}>",
        "Bcc: {}",
        "Cc: Acme <{}>",
        "Received: from a by b for <{}>; Mon",
    ],
)
def test_without_an_envelope_the_headers_tell(account, address, line):
    content = line.format(address).encode() + b"\r\n" + mail("somebody@example.net")

    assert receive(content, source="imap").account == account


def test_the_envelope_goes_before_the_headers(account, address):
    other = AccountFactory()

    assert receive(mail(address), source="pipe", recipients=[inbound_address(other)]).account == other


@pytest.mark.parametrize("to", ["{}x@in.example.com", "{}@elsewhere.example.com", "somebody@in.example.com"])
def test_mail_to_nobody_is_not_kept(account, address, folder, to):
    assert receive(mail(to.format(address.partition("@")[0])), source="pipe") is None

    assert kept(folder) == []


def test_a_mail_over_the_limit_is_refused(settings, address, folder):
    settings.INBOUND_LIMIT = 1024 * 1024

    with pytest.raises(Invalid, match="at most 1 MB are taken") as refusal:
        receive(mail(address, text="x" * 1024 * 1024), source="pipe")

    assert refusal.value.rule == "too_large"
    assert kept(folder) == []


def test_an_empty_mail_is_refused(address):
    with pytest.raises(Invalid, match="empty"):
        receive(b"\r\n", source="pipe", recipients=[address])


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_mail_is_kept_as_well(address, folder, name):
    receive(NASTY[name], source="pipe", recipients=[address])

    assert kept(folder) == [NASTY[name]]


def test_a_flood_waits_in_line(settings, address, monkeypatch):
    settings.INBOUND_PER_HOUR = 2
    monkeypatch.setattr(accepting.timezone, "now", lambda: NOON)

    mails = [receive(mail(address, subject=f"No. {number}"), source="pipe") for number in range(5)]

    hours = [(row.due_at - NOON) / timedelta(hours=1) for row in mails]
    assert hours == [0, 0, 1, 1, 2]


@pytest.mark.django_db(transaction=True)
def test_the_same_mail_by_several_doors_at_once_is_kept_once(folder, account, address):
    content = mail(address)

    found = all_at_once([lambda: receive(content, source="pipe", recipients=[address]).pk] * 4)

    assert len(set(found)) == 1
    assert ReceivedMail.objects.count() == 1
    assert kept(folder) == [content]
