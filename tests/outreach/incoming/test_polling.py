"""Looking into mailboxes, over real connections."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outreach import tasks
from outreach.incoming import effects, polling
from outreach.models import EmailAccount, Incoming, MailFolder
from pipelime.accounts.models import Notice
from pipelime.scope import every_account
from tests import imap_server
from tests.factories import MailboxFactory
from tests.outreach.incoming.conftest import NOW, letter

MINUTE = timedelta(minutes=1)


@pytest.fixture
def server(settings):
    with imap_server.serving() as server:
        server.login = "sam"
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{server.port}"]
        yield server


@pytest.fixture
def mailbox(account, server) -> EmailAccount:
    return MailboxFactory(
        account=account,
        email="sam@sender.example",
        imap_host="127.0.0.1",
        imap_port=server.port,
        imap_security="none",
        imap_username="sam",
        imap_password="secret",
    )


@pytest.fixture
def polled(mailbox, message) -> MailFolder:
    """Looked into before: what comes now is new."""
    look()
    return MailFolder.objects.get(name="INBOX")


def look(at=NOW) -> int:
    """One visit, whether it is due or not."""
    MailFolder.objects.update(due_at=at)
    return tasks.poll_mailboxes()


def kinds() -> list[str]:
    return list(Incoming.objects.order_by("id").values_list("kind", flat=True))


def fetched(server: imap_server.Mailbox) -> list[str]:
    return [line for line in server.commands if "BODY.PEEK[]" in line]


def test_the_first_look_takes_nothing_that_was_there_before(server, mailbox, message):
    server.put(letter("reply_gmail"))

    assert look() == 0

    inbox = MailFolder.objects.get()
    assert (inbox.name, inbox.uid_validity, inbox.last_uid) == ("INBOX", 7, 1)
    assert (inbox.polled_at, inbox.last_error) == (NOW, "")
    assert inbox.due_at == NOW + MINUTE


def test_what_comes_later_is_taken_and_stays_unread(server, polled):
    server.put(letter("reply_gmail"))
    server.put(letter("bounce_gmail_unknown"))

    assert look() == 2
    assert look() == 0

    assert kinds() == ["reply", "bounce"]
    assert MailFolder.objects.get().last_uid == 2
    assert server.seen == set()
    assert not [line for line in server.commands if line.startswith(("UID STORE", "SELECT"))]


def test_of_private_mail_only_the_headers_are_looked_at(server, polled):
    server.put(letter("private_mail"))
    server.put(letter("list_mail"))

    assert look() == 0
    assert fetched(server) == []
    assert MailFolder.objects.get().last_uid == 2


def test_a_folder_whose_uids_are_others_now_is_read_a_month_back_and_nothing_is_doubled(server, polled):
    server.put(letter("reply_gmail"))
    look()
    server.uid_validity, server.messages = 8, {}
    server.put(letter("reply_outlook"), on=(NOW - timedelta(days=31)).date())
    server.put(letter("reply_apple_mail"), on=(NOW - timedelta(days=29)).date())
    server.put(letter("reply_gmail"))

    assert look() == 1

    assert [row.text.split("\n")[0] for row in Incoming.objects.order_by("id")] == [
        "Yes, tell me more.", "Not now, thanks.",
    ]  # fmt: skip
    inbox = MailFolder.objects.get()
    assert (inbox.uid_validity, inbox.last_uid) == (8, 3)


def test_a_mail_that_cannot_be_fetched_is_passed_over_at_the_third_try(server, polled):
    server.put(letter("reply_gmail"))
    server.broken.add(server.put(letter("reply_outlook")))
    server.put(letter("reply_apple_mail"))

    look()
    look()
    stuck = MailFolder.objects.get()
    assert (kinds(), stuck.last_uid, stuck.tries) == (["reply"], 1, 2)
    assert "mail 2 in INBOX could not be taken" in stuck.last_error

    assert look() == 1
    gone_on = MailFolder.objects.get()
    assert (gone_on.last_uid, gone_on.tries, gone_on.last_error) == (3, 0, "")
    assert kinds() == ["reply", "reply"]
    assert len(fetched(server)) == 5


def test_a_mail_and_its_place_in_the_folder_are_written_together_or_not_at_all(server, polled, monkeypatch):
    def fail(incoming):
        raise RuntimeError("the worker stumbles")

    server.put(letter("reply_gmail"))
    with monkeypatch.context() as patch:
        patch.setitem(effects.EFFECTS, effects.Kind.REPLY, fail)
        look()
    kept, last_uid = kinds(), MailFolder.objects.get().last_uid

    assert (kept, last_uid) == ([], 0)
    assert look() == 1


def test_a_visit_that_breaks_off_is_no_visit(server, polled, monkeypatch):
    def break_off(*args):
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(polling, "resolve", break_off)
    look(NOW)

    inbox = MailFolder.objects.get()
    assert (inbox.last_error, inbox.failures) == ("The last visit broke off", 1)


def test_reports_are_found_among_the_spam_and_answers_to_our_mails_but_no_others(server, mailbox, message):
    junk = server.folders["Spam"] = imap_server.Folder(flags="\\HasNoChildren \\Junk")
    look()
    for name in ("bounce_gmail_full", "reply_gmail", "reply_without_references"):
        junk.put(letter(name))

    assert look() == 2
    assert kinds() == ["bounce", "reply"]
    assert dict(MailFolder.objects.values_list("name", "last_uid")) == {"INBOX": 0, "Spam": 3}


def test_a_dead_login_pauses_the_mailbox_and_tells_its_owner_once(server, user, mailbox, message):
    mailbox.owner, mailbox.imap_password = user, "old"
    mailbox.save()

    assert [look(), look()] == [0, 0]

    mailbox.refresh_from_db()
    assert "who are you" in mailbox.pause_reason
    assert [notice.to for notice in Notice.objects.all()] == [user.email]
    inbox = MailFolder.objects.get()
    assert (inbox.polled_at, inbox.failures, inbox.due_at) == (None, 2, NOW + 4 * MINUTE)
    assert "old" not in inbox.last_error


def test_a_paused_mailbox_is_looked_into_all_the_same(server, polled, mailbox):
    EmailAccount.objects.update(paused_at=NOW)
    server.put(letter("reply_gmail"))

    assert look() == 1


def test_a_server_that_cannot_be_reached_is_asked_less_and_less_often(server, polled, settings):
    settings.OUTBOUND_ALLOW = []
    pauses = []
    for _ in range(8):
        look()
        pauses.append((MailFolder.objects.get().due_at - NOW) // MINUTE)

    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
    assert not EmailAccount.objects.get().paused_at
    assert MailFolder.objects.get().last_error.startswith("OSError: the password is not sent")


def test_one_worker_looks_into_a_mailbox_at_a_time(mailbox, message):
    with every_account():
        polling.make_inboxes()
        first = polling.due(NOW)

        assert first.mailbox == mailbox
        assert polling.due(NOW) is None
        assert polling.due(NOW + 9 * MINUTE) is None
        assert polling.due(NOW + 10 * MINUTE).mailbox == mailbox  # that worker has died


def test_the_one_that_has_waited_longest_comes_first(account, mailbox, message):
    other = MailboxFactory(account=account, imap_host="127.0.0.1")
    with every_account():
        polling.make_inboxes()
        MailFolder.objects.filter(mailbox=other).update(due_at=NOW - MINUTE)

        assert [polling.due(NOW).mailbox, polling.due(NOW).mailbox] == [other, mailbox]


@pytest.mark.parametrize("change", [{"imap_host": ""}, {"deleted_at": NOW}])
def test_mailboxes_without_imap_and_disconnected_ones_are_left_alone(mailbox, message, change):
    look()
    EmailAccount.objects.update(**change)

    with every_account():
        assert polling.due(NOW + 5 * MINUTE) is None


def test_suspended_accounts_are_left_alone(account, mailbox, message):
    look()
    account.suspended_at = NOW
    account.save()

    with every_account():
        assert polling.due(NOW + 5 * MINUTE) is None
