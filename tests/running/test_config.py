"""The environment of the processes that bin/up starts, and their command lines."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipelime.running import CannotStart
from pipelime.running.config import ROOT, Config, child_environment, port_number
from pipelime.running.programs import children


def test_nothing_set_means_loopback_8000_and_the_folder_var():
    config = Config.read({})

    assert (config.host, config.port, config.data) == ("127.0.0.1", 8000, ROOT / "var")
    assert config.local_url == "http://127.0.0.1:8000"
    assert not config.brings_broker


def test_a_broker_of_the_operator_is_seen():
    assert Config.read({"BROKER_URL": "redis://127.0.0.1/0"}).brings_broker


@pytest.mark.parametrize("raw", ["0", "65536", "-1", "80 ", "８０", ""])
def test_a_port_is_a_number_that_tcp_knows(raw):
    with pytest.raises(CannotStart, match="is not a port"):
        port_number("PORT", raw)


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:81"), ("::", "http://[::1]:81"), ("10.0.0.7", "http://10.0.0.7:81")],
)
def test_a_wildcard_address_is_reached_over_loopback(host, url):
    assert Config.read({"HOST": host, "PORT": "81"}).local_url == url


def test_children_may_mail_to_the_sink_and_to_no_other_port(tmp_path):
    config = Config.read({"PIPELIME_DATA": str(tmp_path)})

    environment = child_environment(config, {"LANG": "C"}, {"SECRET_KEY_FILE": "/s"}, 2525)

    assert environment == {
        "DJANGO_SETTINGS_MODULE": "pipelime.settings",
        "LANG": "C",
        "PIPELIME_DATA": str(tmp_path),
        "PIPELIME_OUTBOUND_ALLOW": "127.0.0.1:2525",
        "PIPELIME_SINK_PORT": "2525",
        "PORT": "8000",
        "PYTHONUNBUFFERED": "1",
        "SECRET_KEY_FILE": "/s",
    }


def test_the_operators_allow_list_is_left_alone(tmp_path):
    environ = {"PIPELIME_DATA": str(tmp_path), "PIPELIME_OUTBOUND_ALLOW": "10.0.0.0/8"}

    environment = child_environment(Config.read(environ), environ, {}, 2525)

    assert environment["PIPELIME_OUTBOUND_ALLOW"] == "10.0.0.0/8"


def test_four_processes_are_supervised_and_beat_is_one_of_them(tmp_path):
    config = Config.read({"PIPELIME_DATA": str(tmp_path), "PORT": "8123", "HOST": "::1"})

    found = {child.name: list(child.command) for child in children(config, {}, 2525)}

    assert list(found) == ["web", "mailsink", "worker", "beat"]
    assert found["web"][found["web"].index("--bind") + 1] == "[::1]:8123"
    assert found["mailsink"] == [
        *(sys.executable, "-m", "pipelime.mailsink", str(tmp_path / "mailsink"), "2525"),
    ]
    assert found["worker"][found["worker"].index("--queues") + 1] == "mail,webhooks,imports,default"
    assert found["beat"][found["beat"].index("--schedule") + 1] == str(tmp_path / "beat-schedule")


def test_the_data_folder_becomes_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    assert Config.read({"PIPELIME_DATA": "mine"}).data == Path(tmp_path, "mine").resolve()
