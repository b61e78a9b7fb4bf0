"""The demo account is made once; its failure is told and stops nothing."""

from __future__ import annotations

import json
import os

import pytest

from pipelime.running import CannotStart, first_run
from pipelime.running.first_run import Demo, ensure_demo, run_python

KEY = "ki_abc"


@pytest.fixture
def commands(monkeypatch):
    """The commands that would have run, each answered by the reply set for its name."""
    calls: list[tuple[str, ...]] = []
    replies: dict[str, str | CannotStart] = {
        "create_account": json.dumps({"account": {"id": 1}, "api_key": KEY}),
        "demo": "",
    }

    def answer(environment: dict[str, str], *arguments: str) -> str:
        calls.append(arguments)
        reply = replies[arguments[1]]
        if isinstance(reply, CannotStart):
            raise reply
        return reply

    monkeypatch.setattr(first_run, "run_python", answer)
    return calls, replies


def test_the_first_run_makes_an_account_and_its_content(commands, tmp_path):
    calls, _ = commands
    said: list[str] = []

    demo = ensure_demo(tmp_path / "demo.json", {}, said.append)

    assert demo == Demo("demo@example.com", demo.password, KEY)
    assert [call[1] for call in calls] == ["create_account", "demo"]
    assert len(demo.password) == 16
    assert said == []


def test_the_login_is_kept_for_its_owner_only(commands, tmp_path):
    demo = ensure_demo(tmp_path / "demo.json", {}, print)

    kept = json.loads((tmp_path / "demo.json").read_text())
    assert kept == {"login": demo.login, "password": demo.password, "api_key": KEY}
    assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600


def test_a_later_run_makes_nothing(commands, tmp_path):
    calls, _ = commands
    ensure_demo(tmp_path / "demo.json", {}, print)
    calls.clear()

    assert ensure_demo(tmp_path / "demo.json", {}, print) is None
    assert calls == []


def test_an_account_that_cannot_be_made_is_told_and_tried_again_next_time(commands, tmp_path):
    _, replies = commands
    replies["create_account"] = CannotStart("This e-mail is taken.")
    said: list[str] = []

    demo = ensure_demo(tmp_path / "demo.json", {}, said.append)

    assert demo is None
    assert said == ["The demo is not complete, Pipelime starts all the same: This e-mail is taken."]
    assert not (tmp_path / "demo.json").exists()


def test_missing_content_does_not_lose_the_login(commands, tmp_path):
    _, replies = commands
    replies["demo"] = CannotStart("No such table.")
    said: list[str] = []

    demo = ensure_demo(tmp_path / "demo.json", {}, said.append)

    assert demo.api_key == KEY
    assert said == ["The demo is not complete, Pipelime starts all the same: No such table."]


def test_a_failed_command_is_told_in_its_own_last_words():
    with pytest.raises(CannotStart) as failed:
        run_python(os.environ, "-c", "import sys; print('noise'); sys.exit('disk is full')")

    assert str(failed.value) == "disk is full"


def test_a_command_that_fails_silently_is_told_by_its_status():
    with pytest.raises(CannotStart, match=r"^-c ended with status 7\.$"):
        run_python(os.environ, "-c", "import sys; sys.exit(7)")
