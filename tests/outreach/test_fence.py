"""The restore fence: copies, older states and clock jumps hold all sending; ordinary restarts do not."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from outreach import fence
from outreach.confirming import confirm
from outreach.models import Fence, Message
from outreach.tasks import beat, send_due
from pipelime.doctor import work

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture(autouse=True)
def machine(settings, tmp_path, monkeypatch):
    """Brings the tests to a machine of this name: with a data folder, and processes that have just begun."""

    def go_to(name: str):
        settings.DATA = tmp_path / name
        settings.DATA.mkdir(exist_ok=True)
        monkeypatch.setattr(fence, "_met", {})
        fence.forget()
        return settings.DATA

    go_to("first")
    yield go_to
    fence.forget()


@pytest.fixture
def running(db, clock):
    """An installation that has beaten five times, the last time just now."""
    for _ in range(5):
        beat()
        clock.shift(timedelta(seconds=30))
    return Fence.objects.get()


def held_now() -> str:
    fence.forget()
    return fence.is_held()


def backup() -> dict:
    return Fence.objects.values().get()


def put_back(state: dict) -> None:
    Fence.objects.update(**{name: value for name, value in state.items() if name != "id"})


def file_says(folder) -> dict:
    return json.loads((folder / "fence.json").read_text())


def test_a_new_database_sends_before_and_after_its_first_beat(db, clock, machine):
    assert held_now() == ""

    assert beat() == ""

    row = Fence.objects.get()
    assert (row.beats, held_now()) == (1, "")
    assert file_says(machine("first")) == {
        "installation": row.installation, "beats": 1, "at": "2027-03-01 12:00:00+00:00"
    }  # fmt: skip


def test_row_and_file_go_up_together(running, machine):
    assert running.beats == 5
    assert file_says(machine("first"))["beats"] == 5


def test_a_restart_holds_nothing(running, machine, clock):
    machine("first")
    clock.shift(timedelta(hours=5))

    assert held_now() == ""
    assert beat() == ""


def test_a_copy_on_another_machine_is_held_and_stays_held(running, machine, clock):
    machine("second")
    clock.shift(timedelta(minutes=10))

    assert held_now() == "this database came from another machine, or the data folder is new"
    clock.shift(timedelta(days=3))
    assert beat() == Fence.objects.get().reason
    assert Fence.objects.get().beats == 5


def test_a_copy_that_is_started_at_once_waits_and_is_then_held(running, machine, clock):
    machine("second")

    assert held_now() == beat() == fence.JOINING
    assert Fence.objects.get().held_at is None
    clock.shift(timedelta(minutes=3))
    assert "another machine" in held_now()


def test_a_second_machine_joins_once_it_has_seen_the_first_one_beat(running, machine, clock):
    folder = machine("second")
    assert held_now() == fence.JOINING

    Fence.objects.update(beats=6, beat_at=NOON + timedelta(minutes=3))  # the first machine's
    clock.shift(timedelta(seconds=30))

    assert held_now() == ""
    assert file_says(folder)["beats"] == 6


def test_a_container_without_a_lasting_folder_names_its_installation(running, machine, clock, settings):
    settings.INSTALLATION = running.installation
    folder = machine("new container")
    clock.shift(timedelta(minutes=10))

    assert held_now() == ""
    assert file_says(folder)["beats"] == 5


def test_an_older_state_put_back_is_held(running, clock):
    older = backup()
    for _ in range(2):
        beat()

    put_back(older)

    assert "an older state of the database was restored" in held_now()


def test_one_beat_lost_in_a_crash_is_no_older_state(running):
    before = backup()
    beat()

    put_back(before)

    assert held_now() == ""


def test_a_database_of_another_installation_is_held(running, machine):
    Fence.objects.update(installation="b" * 32)

    assert held_now().startswith("this database is not the one that ran on this machine")


def test_another_database_that_has_sent_already_is_held_before_its_first_beat(running, account):
    from tests.factories import MessageFactory

    MessageFactory(account=account, state="sent", sent_at=NOON)
    Fence.objects.all().delete()

    assert held_now() == "this database is not the one that ran on this machine"


def test_a_new_database_beside_an_old_folder_begins_anew(running, machine):
    Fence.objects.all().delete()

    assert (held_now(), beat()) == ("", "")

    assert file_says(machine("first"))["installation"] == Fence.objects.get().installation


def test_a_file_that_cannot_be_read_belongs_to_nobody(running, machine):
    (machine("first") / "fence.json").write_text("{")

    assert "unreadable" in held_now()


@pytest.mark.parametrize(
    ("jump", "words"),
    [
        (timedelta(hours=7), "nothing ran here from 2027-03-01 12:02 UTC to 2027-03-01 19:02 UTC"),
        (timedelta(minutes=-15), "the clock went back from 2027-03-01 12:02 UTC"),
    ],
)
def test_a_jump_of_the_clock_is_held(running, clock, jump, words):
    clock.shift(jump)

    assert words in held_now()


def test_small_jumps_are_lived_with(running, clock):
    clock.shift(timedelta(minutes=-9))
    assert held_now() == ""


def test_the_longest_gap_is_the_operators_choice(running, clock, settings):
    settings.FENCE_GAP = timedelta(0)
    clock.shift(timedelta(days=30))

    assert held_now() == ""


def test_a_confirmed_copy_sends_and_the_next_copy_is_held_again(running, machine, clock):
    machine("second")
    clock.shift(timedelta(hours=1))
    held_now()

    row = confirm(by="Ada")

    assert row.confirmed_by == "Ada"
    assert (held_now(), beat()) == ("", "")
    machine("third")
    clock.shift(timedelta(hours=1))
    assert "another machine" in held_now()


def test_other_machines_accept_what_was_confirmed_on_one(running, machine, clock):
    older = backup()
    clock.shift(timedelta(minutes=1))
    beat(), beat()
    folder = machine("second")
    shutil.copy(machine("first") / "fence.json", folder)
    put_back(older)
    assert "older state" in held_now()

    machine("second")
    clock.shift(timedelta(minutes=5))
    confirm(by="Ada")

    assert held_now() == ""
    machine("first")
    assert (held_now(), beat()) == ("", "")


def test_confirming_what_is_not_held_does_nothing(running):
    assert confirm(by="Ada") is None
    assert Fence.objects.get().beats == 5


@pytest.fixture
def waiting(started, running, campaign, account, sink):
    """Three mails that are due, and a copy of their database on another machine."""
    from outreach.planning import plan_account

    started(3)
    plan_account(account.pk, NOON)
    assert Message.objects.filter(state="queued").count() == 3


def test_a_copy_sends_nothing_until_it_is_confirmed(waiting, machine, clock, sink):
    machine("second")
    clock.shift(timedelta(minutes=10))

    assert send_due() == 0
    assert (sink.connections, Message.objects.filter(state="queued").count()) == (0, 3)

    confirm(by="Ada")
    assert send_due() == 3
    assert len(sink.arrivals) == 3


def test_the_command_shows_what_is_behind_the_fence(waiting, machine, clock, campaign):
    machine("second")
    clock.shift(timedelta(minutes=10))
    held_now()

    looked = run_command("--look")
    assert Fence.objects.get().held_at
    confirmed = run_command("--name", "Ada", "--pause-campaigns")

    assert "this database came from another machine" in looked
    assert "3 messages are due and 0 are queued for later; 1 campaigns are running." in looked
    assert looked.count("  next: ") == 3
    assert "Confirmed: sending goes on." in confirmed
    campaign.refresh_from_db()
    assert (campaign.status, Fence.objects.get().confirmed_by) == ("PAUSED", "Ada")
    assert run_command() == "Nothing is held: mail is sent as planned.\n"


def run_command(*arguments: str) -> str:
    said = StringIO()
    call_command("confirm_sending", *arguments, stdout=said)
    return said.getvalue()


def test_doctor_and_readyz_say_it(running, client, settings):
    settings.BROKER_URL = ""
    assert [verdict.level for verdict in work.sending()] == ["ok"]
    Fence.objects.update(held_at=NOON, reason="an older state of the database was restored")

    [verdict] = work.sending()

    assert verdict.failed
    assert "bin/manage confirm_sending" in verdict.sentence
    assert client.get("/readyz").json()["sending"] == "held"
