"""Mailboxes at Google and Microsoft, against a stand-in of the provider, its SMTP and its IMAP server."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from outreach.access_tokens import access_token
from outreach.connections import open_imap, open_smtp
from outreach.mailboxes import create_mailbox, delete_mailbox, log_in_by, login_refused, update_mailbox
from outreach.models import EmailAccount, Message
from outreach.oauth import GrantRefused, ProviderUnavailable
from outreach.smtp_results import LoginRefused, ServerUnavailable
from outreach.trying import test_mailbox
from pipelime.accounts.models import Notice
from pipelime.errors import Invalid
from pipelime.events.models import Event
from tests import imap_server, oauth_provider
from tests.factories import MailboxFactory
from tests.sinks import SmtpSink

test_mailbox.__test__ = False  # a verb, not a test


@pytest.fixture
def provider(settings):
    with oauth_provider.serving() as provider:
        settings.MAIL_PROVIDERS = {"google": provider.settings(), "microsoft": provider.settings()}
        settings.OUTBOUND_ALLOW = ["127.0.0.1"]
        yield provider


@pytest.fixture
def servers(provider):
    """An SMTP and an IMAP server that take the provider's second token only."""
    logins = {"sam@example.com": "access-1"}
    with SmtpSink(logins=logins, mechanisms="XOAUTH2") as smtp, imap_server.serving() as imap:
        imap.login, imap.password = "sam@example.com", "access-1"
        yield smtp, imap


@pytest.fixture
def mailbox(account, user, provider, servers) -> EmailAccount:
    smtp, imap = servers
    return MailboxFactory(
        account=account, email="sam@example.com", owner=user, login="google",
        refresh_token=provider.grant_to("sam@example.com"),
        smtp_port=smtp.port, smtp_username="sam@example.com",
        imap_host="127.0.0.1", imap_port=imap.port, imap_security="none", imap_username="sam@example.com",
    )  # fmt: skip


def test_a_mailbox_at_google_uses_googles_servers_and_shows_no_token(account, user, provider):
    mailbox = log_in_by(account, by=user, login="google", email="sam@example.com", refresh_token="1//refresh")

    stored = EmailAccount.objects.get(pk=mailbox.pk)
    assert (stored.smtp_host, stored.smtp_port, stored.smtp_security) == ("smtp.gmail.com", 587, "starttls")
    assert (stored.imap_host, stored.imap_port, stored.imap_security) == ("imap.gmail.com", 993, "tls")
    assert (stored.smtp_username, stored.refresh_token) == ("sam@example.com", "1//refresh")
    assert "1//refresh" not in f"{EmailAccount.objects.values().get()}{Event.objects.get().data}"


def test_a_known_mailbox_that_is_connected_again_works_again(account, user, provider):
    known = MailboxFactory(
        account=account, email="sam@example.com", smtp_password="old", paused_at=timezone.now()
    )

    log_in_by(account, by=user, login="microsoft", email="Sam@Example.com", refresh_token="new")

    stored = EmailAccount.objects.get()
    assert stored.pk == known.pk
    assert (stored.login, stored.smtp_host) == ("microsoft", "smtp.office365.com")
    assert (stored.smtp_password, stored.refresh_token, stored.paused_at) == ("", "new", None)


def test_the_token_never_goes_to_a_server_of_somebody_elses(mailbox, user):
    with pytest.raises(Invalid, match="keeps Google's servers"):
        update_mailbox(mailbox, by=user, smtp={"host": "mail.attacker.example"})


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"login": "yahoo", "refresh_token": "x"}, "login"),
        ({"login": "google"}, "refresh_token"),
        ({"login": "google", "refresh_token": "x", "smtp": {"host": "a.example"}}, "smtp"),
        ({"login": "password", "refresh_token": "x", "smtp": {"host": "a.example"}}, "refresh_token"),
    ],
)
def test_what_does_not_go_together_is_named(given, field, account, user, provider):
    with pytest.raises(Invalid) as refusal:
        create_mailbox(account, by=user, email="sam@example.com", **given)

    assert refusal.value.field == field
    assert not EmailAccount.objects.exists()


def test_without_a_client_of_the_operators_it_is_said_what_is_missing(account, user):
    with pytest.raises(Invalid, match="PIPELIME_GOOGLE_CLIENT_ID"):
        create_mailbox(account, by=user, email="s@example.com", login="google", refresh_token="x")


def test_a_token_is_kept_until_shortly_before_its_end(mailbox, provider):
    with time_machine.travel("2027-03-01T10:00:00Z", tick=False) as clock:
        first = access_token(mailbox)
        clock.shift(timedelta(minutes=54))
        kept = access_token(EmailAccount.objects.get())
        clock.shift(timedelta(minutes=2))
        renewed = access_token(EmailAccount.objects.get())

    assert (first, kept, renewed) == ("access-0", "access-0", "access-1")
    assert len(provider.asked) == 2


def test_a_new_refresh_token_takes_the_old_ones_place(mailbox, provider):
    provider.rotates = True

    access_token(mailbox)

    assert EmailAccount.objects.get().refresh_token == "refresh-1"


@pytest.mark.django_db(transaction=True)
def test_of_many_that_need_a_token_one_asks(mailbox, provider, account):
    def ask() -> None:
        from pipelime.scope import account_scope

        with account_scope(account):
            found.append(access_token(EmailAccount.objects.get()))
        connection.close()

    found: list[str] = []
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == ["access-0"] * 4
    assert len(provider.asked) == 1


def test_a_disconnected_mailbox_gets_no_new_token(mailbox, provider, user):
    stale = EmailAccount.objects.get()
    delete_mailbox(mailbox, by=user)

    with pytest.raises(GrantRefused):
        access_token(stale)

    stored = EmailAccount.objects.get()
    assert (stored.refresh_token, stored.access_token) == ("", "")


def test_a_token_that_a_server_turns_away_is_replaced_once(mailbox, provider, servers):
    with open_smtp(mailbox) as dialogue:
        assert dialogue.login_reply == "235 2.7.0 welcome"

    assert provider.access_tokens == ["access-0", "access-1"]
    assert servers[0].connections == 2


def test_imap_is_entered_with_the_same_token(mailbox, provider, servers):
    with open_imap(mailbox) as server:
        assert server.state == "AUTH"

    assert provider.access_tokens == ["access-0", "access-1"]


def test_a_fresh_token_that_is_turned_away_too_is_a_refused_log_in(mailbox, provider, servers):
    servers[0].logins, servers[1].password = {}, "another"

    with pytest.raises(LoginRefused, match="535"):
        open_smtp(mailbox)
    with pytest.raises(LoginRefused, match="Invalid credentials"), open_imap(mailbox):
        pass


def test_a_withdrawn_permission_pauses_the_mailbox_and_tells_its_owner_once(
    mailbox, provider, started, campaign, run, user
):
    started(2)
    provider.refresh_tokens.clear()

    run(campaign)
    login_refused(mailbox, "the same, said by IMAP")

    mailbox.refresh_from_db()
    assert mailbox.pause_reason == "Google said: Token has been expired or revoked."
    assert [notice.to for notice in Notice.objects.all()] == [user.email]
    assert set(Message.objects.values_list("state", flat=True)) == {"cancelled"}  # planned anew later


def test_a_token_endpoint_that_is_down_defers_and_pauses_nothing(mailbox, provider):
    for refusal in ((503, {}), (200, {}), (401, {"error": "invalid_client"})):
        provider.refusal = refusal
        with pytest.raises(ProviderUnavailable):
            access_token(mailbox)
    with pytest.raises(ServerUnavailable):
        open_smtp(mailbox)
    provider.refusal = None

    assert access_token(mailbox) == "access-0"
    assert not Message.objects.exists()


def test_the_connection_test_tells_the_providers_words(mailbox, provider):
    good = test_mailbox(mailbox)
    provider.refresh_tokens.clear()
    mailbox.access_until = timezone.now()
    mailbox.save()
    bad = test_mailbox(mailbox)

    assert good["ok"] is True
    assert good["smtp"] == {"ok": True, "detail": "235 2.7.0 welcome"}
    assert bad["smtp"] == {"ok": False, "detail": "Google said: Token has been expired or revoked."}
    assert bad["imap"] == bad["smtp"]
