"""Each thing that can be wrong with an installation gets a sentence that says what to do."""

from __future__ import annotations

import os
import shutil
import smtplib
import sqlite3
import subprocess
import sys
from collections import namedtuple
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.utils import ConnectionHandler
from django.utils import timezone

from crm.models import Inbox
from outreach.models import CapCounter, Message
from pipelime.accounts.models import Account, Notice
from pipelime.backoffice.management.commands import doctor
from pipelime.doctor import configuration, databases, machine, tasks, work
from pipelime.doctor.verdicts import Verdict, examine, failure, ok, warning
from tests.end_to_end.installation import DATABASE, migrated_database
from tests.factories import CampaignFactory, MailboxFactory, MessageFactory

ROOT = Path(__file__).resolve().parent.parent.parent


def verdict_of(check) -> Verdict:
    [verdict] = examine([check])
    return verdict


def level_and(verdict: Verdict, *words: str) -> str:
    for word in words:
        assert word in verdict.sentence
    assert verdict.sentence.endswith((".", "\n"))
    return verdict.level


def test_a_check_that_breaks_off_is_a_failure_and_keeps_no_other_from_being_made():
    def broken_thing():
        raise LookupError("nobody home")

    verdicts = list(examine([broken_thing, lambda: [ok("Fine.")]]))

    assert verdicts == [
        failure("The check of broken thing broke off with LookupError: nobody home"),
        ok("Fine."),
    ]


# The command


@pytest.fixture
def told(monkeypatch):
    """Runs the command on checks of our own; returns its lines and its exit status."""

    def run(*, first, databases_say=(), migrations_say=(), stored=()):
        monkeypatch.setattr(doctor, "CONFIGURATION", [lambda: first])
        monkeypatch.setattr(databases, "databases", lambda: databases_say)
        monkeypatch.setattr(databases, "migrations", lambda: migrations_say)
        monkeypatch.setattr(doctor, "STORED", [lambda: stored])
        out, status = StringIO(), 0
        try:
            call_command("doctor", stdout=out, no_color=True)
        except SystemExit as ending:
            status = ending.code
        return out.getvalue().splitlines(), status

    return run


def test_the_command_ends_well_when_nothing_must_be_mended(told):
    lines, status = told(first=[ok("A.")], stored=[warning("B.")])

    assert status == 0
    assert lines == ["ok       A.", "warning  B.", "2 checks: 0 failures, 1 warnings."]


def test_the_command_fails_when_something_must_be_mended(told):
    lines, status = told(first=[failure("A.")], stored=[ok("B.")])

    assert status == 1
    assert lines == ["failure  A.", "ok       B.", "2 checks: 1 failures, 0 warnings."]


@pytest.mark.parametrize("broken", ["databases_say", "migrations_say"])
def test_what_rests_on_a_broken_database_is_not_looked_at(broken, told):
    lines, status = told(first=[], stored=[ok("Not looked at.")], **{broken: [failure("Gone.")]})

    assert status == 1
    assert lines == ["failure  Gone.", "1 checks: 1 failures, 0 warnings."]


# The machine


def test_python_is_recent_enough():
    assert level_and(verdict_of(machine.python), "Python 3.") == "ok"


def test_an_old_python_is_refused(monkeypatch):
    monkeypatch.setattr(machine, "OLDEST_PYTHON", (9, 0))

    assert level_and(verdict_of(machine.python), "too old", "bin/install") == "failure"


@pytest.mark.parametrize(
    ("free", "level"), [(50 * 1024**3, "ok"), (1024**3, "warning"), (100 * 1024**2, "failure")]
)
def test_disk_space_is_watched(free, level, monkeypatch):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(free))

    assert level_and(verdict_of(machine.disk), f"{free / 1024**3:.1f} GB") == level


def test_a_storage_that_keeps_files_is_well(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "default_storage", FileSystemStorage(location=tmp_path))

    assert level_and(verdict_of(machine.storage), str(tmp_path)) == "ok"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_storage_that_cannot_be_written_is_a_failure(monkeypatch, tmp_path):
    (tmp_path / "doctor").write_text("a file where a folder belongs")
    monkeypatch.setattr(machine, "default_storage", FileSystemStorage(location=tmp_path))

    assert level_and(verdict_of(machine.storage), str(tmp_path), "cannot be written") == "failure"


def test_a_storage_that_changes_files_is_a_failure(monkeypatch, tmp_path):
    class Forgetful(FileSystemStorage):
        def _save(self, name, content):
            return super()._save(name, type(content)(b"something else"))

    monkeypatch.setattr(machine, "default_storage", Forgetful(location=tmp_path))

    assert level_and(verdict_of(machine.storage), "other bytes") == "failure"


def test_a_storage_whose_package_is_missing_says_what_to_install(settings):
    storages = dict(settings.STORAGES)
    storages["default"] = {"BACKEND": "storages_of_nobody.S3Storage"}
    settings.STORAGES = storages

    assert level_and(verdict_of(machine.storage), "requirements-s3.txt", "storages_of_nobody") == "failure"


def test_missing_static_files_are_a_failure(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    missing = verdict_of(machine.static_files)
    (tmp_path / "admin").mkdir()

    assert level_and(missing, "collectstatic") == "failure"
    assert verdict_of(machine.static_files).level == "ok"


def test_time_zones_in_use_must_be_known(account):
    known = verdict_of(machine.time_zones)
    Account.objects.update(time_zone="Europe/Atlantis")

    assert known.level == "ok"
    assert level_and(verdict_of(machine.time_zones), "Europe/Atlantis", "tzdata") == "failure"


def test_missing_time_zone_data_is_a_failure(monkeypatch):
    monkeypatch.setattr(machine.zoneinfo, "available_timezones", set)

    assert level_and(verdict_of(machine.time_zones), "tzdata") == "failure"


# Settings


@pytest.fixture
def healthy(settings, monkeypatch):
    """Settings with which every check of the configuration is well."""
    settings.SECRET_KEY = "x1" * 20
    settings.PIPELIME_KEYS = {"k1": bytes(range(32))}
    settings.PIPELIME_URL = settings.PIPELIME_PUBLIC_URL = "https://crm.example.com"
    settings.ALLOWED_HOSTS = ["crm.example.com"]
    settings.TRUSTED_PROXIES, settings.METRICS_ALLOW, settings.OUTBOUND_ALLOW = [], [], []
    settings.DEBUG = False
    for name in ("SECRET_KEY_FILE", "PIPELIME_KEYS_FILE"):
        monkeypatch.delenv(name, raising=False)
    return settings


CONFIGURATION = [
    configuration.secrets,
    configuration.debug,
    configuration.addresses,
    configuration.hosts,
    configuration.outbound,
]


def test_a_good_configuration_is_well(healthy):
    assert {verdict.level for verdict in examine(CONFIGURATION)} == {"ok"}


KEY = bytes(range(32))
BAD_SETTINGS = [
    ("SECRET_KEY", "short", configuration.secrets, "failure", "5 characters"),
    ("PIPELIME_KEYS", {"k1": bytes(32)}, configuration.secrets, "failure", "one repeated byte"),
    ("PIPELIME_KEYS", {"k2": KEY, "k1": KEY[::-1]}, configuration.secrets, "warning", "rotate_keys"),
    ("DEBUG", True, configuration.debug, "failure", "PIPELIME_DEBUG"),
    ("PIPELIME_URL", "http://crm.example.com", configuration.addresses, "warning", "one-click unsubscribe"),
    ("PIPELIME_URL", "crm.example.com", configuration.addresses, "failure", "https://crm.example.com"),
    (
        "PIPELIME_PUBLIC_URL",
        "http://u.example.com",
        configuration.addresses,
        "warning",
        "PIPELIME_PUBLIC_URL",
    ),
    ("ALLOWED_HOSTS", ["other.example"], configuration.hosts, "failure", "'crm.example.com'"),
    ("ALLOWED_HOSTS", ["*"], configuration.hosts, "warning", "'crm.example.com'"),
    ("TRUSTED_PROXIES", ["nginx"], configuration.hosts, "failure", "TRUSTED_PROXIES: 'nginx'"),
    ("METRICS_ALLOW", ["0.0.0.0/0"], configuration.hosts, "warning", "PIPELIME_METRICS_ALLOW"),
    ("OUTBOUND_ALLOW", ["0.0.0.0/0"], configuration.outbound, "failure", "0.0.0.0/0"),
    ("OUTBOUND_ALLOW", ["mail.example"], configuration.outbound, "failure", "'mail.example'"),
]


@pytest.mark.parametrize(("name", "value", "check", "level", "word"), BAD_SETTINGS)
def test_a_bad_setting_is_named_with_what_would_work(name, value, check, level, word, healthy):
    setattr(healthy, name, value)

    found = [verdict for verdict in examine([check]) if verdict.level != "ok"]

    assert [(verdict.level, word in verdict.sentence) for verdict in found if word in verdict.sentence] == [
        (level, True)
    ]


def test_debugging_at_home_is_only_a_warning(healthy):
    healthy.DEBUG, healthy.PIPELIME_URL = True, "http://127.0.0.1:8000"

    assert verdict_of(configuration.debug).level == "warning"


def test_any_host_name_is_fine_at_home(healthy):
    healthy.ALLOWED_HOSTS, healthy.PIPELIME_URL = ["*"], "http://127.0.0.1:8000"

    assert verdict_of(configuration.hosts).level == "ok"


def test_what_may_be_reached_in_clear_is_listed(healthy):
    healthy.OUTBOUND_ALLOW = ["127.0.0.1:1025"]

    assert level_and(verdict_of(configuration.outbound), "127.0.0.1:1025") == "ok"


def test_a_key_file_that_others_may_read_is_a_warning(healthy, monkeypatch, tmp_path):
    file = tmp_path / "secret_key"
    file.write_text("x")
    file.chmod(0o644)
    monkeypatch.setenv("SECRET_KEY_FILE", str(file))

    loose = list(configuration.secret_files())
    file.chmod(0o600)

    assert [level_and(verdict, "chmod 600") for verdict in loose] == ["warning"]
    assert list(configuration.secret_files()) == []


class Server:
    def __init__(self, error: Exception | None = None):
        self.host, self.port, self.error, self.timeout = "mail.example", 587, error, None

    def connection(self):
        return self

    def open(self):
        assert self.timeout == configuration.MAIL_TIMEOUT
        if self.error:
            raise self.error

    def close(self):
        pass


@pytest.mark.parametrize(
    ("url", "error", "level", "word"),
    [
        ("smtp://mail.example", None, "ok", "mail.example:587"),
        ("", None, "warning", "PIPELIME_MAIL_URL is not set"),
        ("smtp://mail.example", ConnectionRefusedError(111, "refused"), "failure", "refused"),
        ("smtp://mail.example", smtplib.SMTPAuthenticationError(535, b"no"), "failure", "535"),
    ],
)
def test_the_server_of_the_system_s_mail_is_tried(url, error, level, word, settings, monkeypatch):
    settings.PIPELIME_MAIL_URL = url
    monkeypatch.setattr(configuration, "mail_server", lambda: Server(error))

    assert level_and(verdict_of(configuration.system_mail), word) == level


@pytest.mark.parametrize(("url", "word"), [("", "not set"), ("ftp://mail.example", "must look like")])
def test_without_a_server_the_system_s_mail_is_a_failure(url, word, settings):
    settings.PIPELIME_MAIL_URL, settings.SINK_PORT = url, 0

    assert level_and(verdict_of(configuration.system_mail), word) == "failure"


# Databases


@pytest.fixture
def file_database(tmp_path, monkeypatch, django_db_blocker):
    """A SQLite file of this test as the only database."""
    values = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": tmp_path / "some.sqlite3",
        "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL"},
    }
    handler = ConnectionHandler({"default": values})
    monkeypatch.setattr(databases, "connections", handler)
    with django_db_blocker.unblock():
        yield handler["default"]
        handler["default"].close()


def test_a_sqlite_file_in_wal_mode_is_well(file_database):
    assert level_and(verdict_of(databases.databases), "some.sqlite3", "WAL") == "ok"


def test_a_sqlite_file_in_another_mode_is_a_failure(file_database):
    file_database.settings_dict["OPTIONS"]["init_command"] = "PRAGMA journal_mode=DELETE"

    assert level_and(verdict_of(databases.databases), "not in WAL mode but delete") == "failure"


def test_a_sqlite_file_that_cannot_be_written_is_a_failure(file_database):
    file_database.settings_dict["OPTIONS"]["init_command"] += "; PRAGMA query_only=1"

    assert level_and(verdict_of(databases.databases), "some.sqlite3 cannot be written") == "failure"


def test_an_old_sqlite_is_a_failure(file_database, monkeypatch):
    monkeypatch.setattr(databases, "OLDEST_SQLITE", (9, 0))

    assert level_and(verdict_of(databases.databases), "too old") == "failure"


def test_a_database_that_does_not_answer_is_a_failure(file_database, monkeypatch):
    def fail():
        raise OperationalError("connection refused")

    monkeypatch.setattr(file_database, "ensure_connection", fail)

    assert level_and(verdict_of(databases.databases), "connection refused", "DATABASE_URL") == "failure"


def test_postgresql_answers(db):
    if connection.vendor != "postgresql":
        pytest.skip("this run is on SQLite")

    assert level_and(verdict_of(databases.databases), "PostgreSQL 1") == "ok"


@pytest.mark.parametrize(
    ("number", "readonly", "level", "word"),
    [(150004, False, "ok", "15.4"), (140009, False, "warning", "14.9"), (160001, True, "failure", "primary")],
)
def test_a_postgresql_is_judged_by_its_version_and_role(number, readonly, level, word, monkeypatch):
    answers = iter([[number], [readonly]])
    monkeypatch.setattr(databases, "ask", lambda *args: next(answers))

    assert level_and(verdict_of(lambda: databases.postgresql(connection)), word) == level


def test_applied_migrations_are_well(db):
    assert verdict_of(databases.migrations) == ok("All migrations are applied.")


def test_missing_migrations_are_a_failure(file_database):
    assert (
        level_and(verdict_of(databases.migrations), "migrations are not applied", "bin/manage migrate")
        == "failure"
    )


@pytest.mark.parametrize(("seconds", "level"), [(1, "ok"), (-4, "ok"), (42, "failure"), (-42, "failure")])
def test_the_database_s_clock_is_compared(seconds, level, monkeypatch):
    moved = timezone.now() + timedelta(seconds=seconds)
    monkeypatch.setattr(databases, "database_time", lambda connection: moved)

    assert verdict_of(databases.clock).level == level


def test_the_database_s_own_clock_is_read(db):
    assert verdict_of(databases.clock).level == "ok"


def test_several_machines_on_sqlite_are_warned_of(settings):
    settings.BROKER_URL = "redis://127.0.0.1:6379/0"

    expected = ["warning"] if connection.vendor == "sqlite" else []
    assert [verdict.level for verdict in databases.production()] == expected


# Work


def test_a_broker_that_does_not_answer_is_a_failure(settings):
    settings.BROKER_URL = "redis://127.0.0.1:1/0"

    assert level_and(verdict_of(work.broker), "BROKER_URL", "nothing is lost") == "failure"
    assert list(work.worker()) == []


def test_the_file_broker_is_well(settings):
    settings.BROKER_URL = ""

    assert verdict_of(work.broker).level == "ok"


@pytest.fixture
def post(monkeypatch):
    """What happens with the probe instead of being published."""

    def deliver(action):
        monkeypatch.setattr(work.app, "send_task", lambda name, args, **options: action(name, *args))
        monkeypatch.setattr(work, "PATIENCE", 0.3)
        monkeypatch.setattr(work.health, "broker", lambda: "ok")

    return deliver


def test_a_worker_that_reads_the_probe_is_well(db, post):
    seen = []

    def answer(task, name):
        seen.append(task)
        tasks.answer_probe(name)

    post(answer)

    assert level_and(verdict_of(work.worker), "A worker answers") == "ok"
    assert seen == ["pipelime.doctor.tasks.answer_probe"]


def test_a_worker_that_does_not_answer_is_a_failure(db, post):
    post(lambda task, name: None)

    assert level_and(verdict_of(work.worker), "No worker answered", "bin/up") == "failure"


def test_a_worker_on_another_disk_is_a_failure(db, post, monkeypatch, tmp_path):
    monkeypatch.setattr(tasks, "default_storage", FileSystemStorage(location=tmp_path))
    post(lambda task, name: tasks.answer_probe(name))

    assert level_and(verdict_of(work.worker), "does not see the files") == "failure"


@pytest.mark.parametrize(("minutes", "level"), [(1, "ok"), (10, "warning"), (90, "failure")])
def test_rows_that_wait_too_long_are_told(minutes, level, account):
    due_at = timezone.now() - timedelta(minutes=minutes)
    Notice.objects.create(account=account, to="a@b.example", subject="x", due_at=due_at)

    verdict = verdict_of(work.waiting)

    assert verdict.level == level
    assert (f"notice waits for {minutes} minutes, with 1 due" in verdict.sentence) is (level != "ok")


def test_mails_of_unknown_fate_are_counted(account):
    none = verdict_of(work.ambiguous)
    MessageFactory(account=account, state="ambiguous")

    assert none.level == "ok"
    assert level_and(verdict_of(work.ambiguous), "1 mail arrived", "settle") == "warning"


def test_paused_mailboxes_are_named_with_their_reason(account):
    MailboxFactory(account=account)
    none = verdict_of(work.mailboxes)
    MailboxFactory(account=account, email="sam@a.example", paused_at=timezone.now(), pause_reason="535 no")

    assert none.level == "ok"
    assert level_and(verdict_of(work.mailboxes), "1 mailbox is paused (sam@a.example: 535 no)") == "warning"


def test_the_mailbox_for_leads_is_judged_by_its_last_poll(settings, db):
    settings.INBOUND_IMAP = ""
    none = verdict_of(work.inbox)
    settings.INBOUND_IMAP = "pop3://x"
    bad = verdict_of(work.inbox)
    settings.INBOUND_IMAP = "imaps://in:secret@mail.example.com"
    never = verdict_of(work.inbox)
    row = Inbox.objects.create(
        name="in@mail.example.com:993/INBOX", polled_at=timezone.now(), last_error="error: no such user"
    )
    broken = verdict_of(work.inbox)
    Inbox.objects.filter(pk=row.pk).update(last_error="", last_uid=12)
    well = verdict_of(work.inbox)

    assert level_and(none, "No mailbox is polled") == "ok"
    assert level_and(bad, "PIPELIME_INBOUND_IMAP must look like") == "failure"
    assert level_and(never, "in@mail.example.com:993/INBOX has not been polled") == "warning"
    assert level_and(broken, "no such user") == "failure"
    assert level_and(well, "up to its message 12") == "ok"


def test_an_installation_without_an_account_is_told_how_to_make_one(db):
    assert level_and(verdict_of(work.accounts), "create_account") == "warning"


def test_open_accounts_are_counted(account):
    assert verdict_of(work.accounts) == ok("1 account is open.")


@pytest.fixture
def counted(account):
    """A mailbox and a campaign whose counters agree with their three mails, one of them cancelled."""
    today = timezone.now().date()
    mailbox, campaign = MailboxFactory(account=account), CampaignFactory(account=account)
    for state in ("sent", "claimed", "cancelled"):
        message = MessageFactory(account=account, mailbox=mailbox, state=state)
        Message.objects.filter(pk=message.pk).update(mailbox_day=today, campaign=campaign, campaign_day=today)
    CapCounter.objects.create(scope=f"mailbox:{mailbox.pk}", day=today, used=2)
    CapCounter.objects.create(scope=f"campaign:{campaign.pk}", day=today, used=2)
    CapCounter.objects.create(scope=f"mailbox:{mailbox.pk}", day=today - timedelta(days=9), used=77)
    return mailbox, campaign


def set_counter(scope: str, used: int) -> None:
    CapCounter.objects.filter(scope=scope, day=timezone.now().date()).update(used=used)


def test_counters_that_agree_with_the_mails_are_well(counted):
    assert verdict_of(work.caps).level == "ok"


def test_a_counter_below_its_mails_is_a_failure(counted):
    set_counter(f"campaign:{counted[1].pk}", 1)

    assert level_and(verdict_of(work.caps), f"campaign:{counted[1].pk} says 1, but 2 mails") == "failure"


def test_a_missing_counter_is_a_failure(counted):
    CapCounter.objects.filter(scope=f"mailbox:{counted[0].pk}").delete()

    assert level_and(verdict_of(work.caps), "says 0, but 2 mails") == "failure"


def test_a_counter_above_its_mails_is_a_warning(counted):
    set_counter(f"mailbox:{counted[0].pk}", 5)

    assert level_and(verdict_of(work.caps), "3 higher") == "warning"


def test_a_mail_that_a_person_sent_again_may_count_twice(counted):
    set_counter(f"mailbox:{counted[0].pk}", 3)
    Message.objects.filter(state="sent").update(settled_at=timezone.now())

    assert verdict_of(work.caps).level == "ok"


# The whole thing


@pytest.mark.end_to_end
@pytest.mark.embedded
def test_a_fresh_installation_lacks_only_its_worker(tmp_path):
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PIPELIME_") and name not in ("DATABASE_URL", "BROKER_URL")
    } | {
        "DJANGO_SETTINGS_MODULE": "pipelime.settings",
        "PIPELIME_DATA": str(tmp_path),
        "PIPELIME_KEYS": "k1:" + "QUJD" * 10 + "QUI",
        "SECRET_KEY": "only for this test, but of full length",
        "PIPELIME_MAIL_URL": "smtp://127.0.0.1:1",
    }
    run = {"cwd": ROOT, "env": environment, "capture_output": True, "text": True}

    shutil.copy(migrated_database(), tmp_path / DATABASE)
    upgraded = subprocess.run([sys.executable, "-m", "pipelime.upgrading"], check=False, **run)
    done = subprocess.run([sys.executable, "manage.py", "doctor"], check=False, **run)

    assert upgraded.returncode == 0, upgraded.stderr
    failures = [line for line in done.stdout.splitlines() if line.startswith("failure")]
    assert [line.split()[1:4] for line in failures] == [
        ["The", "mail", "server"],
        ["No", "worker", "answered"],
    ], done
    assert done.returncode == 1
    with sqlite3.connect(tmp_path / "volatile.sqlite3") as volatile:
        assert volatile.execute("SELECT count(*) FROM volatile_cache").fetchone() == (0,)
