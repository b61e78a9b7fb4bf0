"""The ready message waits for the pages, and the worker for the message or for half a minute."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pipelime.running import __main__ as up
from pipelime.running.config import Config
from pipelime.running.first_run import Demo
from pipelime.running.programs import children


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config.read({"PIPELIME_DATA": str(tmp_path), "PORT": "8123"})


@pytest.fixture
def said(monkeypatch) -> list[str]:
    sentences: list[str] = []
    monkeypatch.setattr(up, "say", sentences.append)
    return sentences


def opening(config: Config, demo: Demo | None = None) -> up.Opening:
    return up.Opening(config, demo, children(config, {}, 2525))


def names(opening: up.Opening) -> list[str]:
    return [child.name for child in opening.supervisor.children]


def test_worker_and_beat_wait_until_the_pages_answer(config, said, monkeypatch):
    one = opening(config)
    monkeypatch.setattr(up, "answers", lambda url: False)

    one.watch()

    assert names(one) == ["web", "mailsink"]
    assert said == []


def test_the_ready_message_is_said_once_with_the_new_login(config, said, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(up, "answers", lambda url: asked.append(url) or True)
    one = opening(config, Demo("demo@example.com", "secret", "ki_1"))

    one.watch()
    one.watch()

    assert asked == ["http://127.0.0.1:8123/healthz"]
    assert names(one) == ["web", "mailsink", "worker", "beat"]
    [message] = said
    assert message == (
        "Pipelime is ready: http://127.0.0.1:8123/\n"
        "  login     demo@example.com\n"
        "  password  secret\n"
        "  API key   ki_1\n"
        f"  data      {config.data}\n"
        "Ctrl-C stops it."
    )


def test_a_slow_web_process_does_not_hold_up_the_worker_for_ever(config, said, monkeypatch):
    one = opening(config)
    monkeypatch.setattr(up, "answers", lambda url: False)
    one.deadline = 0.0

    one.watch()
    one.watch()

    assert names(one) == ["web", "mailsink", "worker", "beat"]
    assert said == [f"The pages do not answer yet; {config.logs / 'web.log'} may tell why."]


def test_a_later_start_says_where_the_login_is(config):
    config.secrets.mkdir(parents=True)
    (config.secrets / "demo.json").write_text("{}")

    message = up.ready_message(config, None)

    assert f"  demo      its login is in {config.secrets / 'demo.json'}\n" in message


def test_a_port_where_nobody_answers_is_not_ready():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert not up.answers(f"http://127.0.0.1:{port}/healthz")
