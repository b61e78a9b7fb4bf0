"""What bin/up checks before it starts anything, and the words it finds for what is wrong."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipelime.running import CannotStart, folder

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def port_of(server: socket.socket) -> int:
    return server.getsockname()[1]


def test_a_folder_that_cannot_be_made_is_told_with_the_way_out(tmp_path):
    (tmp_path / "file").write_text("in the way")
    data = tmp_path / "file" / "var"

    with pytest.raises(CannotStart) as refused:
        folder.ensure_writable(data)

    assert str(refused.value) == (
        f"The data folder {data} cannot be written (Not a directory). "
        "Give yourself the right to write there, or set PIPELIME_DATA to another folder."
    )


def test_a_writable_folder_is_made_and_left_empty(tmp_path):
    folder.ensure_writable(tmp_path / "deep" / "var")

    assert list((tmp_path / "deep" / "var").iterdir()) == []


def test_a_second_start_on_the_same_folder_is_refused(tmp_path):
    holder = folder.lock(tmp_path)

    with pytest.raises(CannotStart, match=rf"Another bin/up \(process {os.getpid()}\) already serves"):
        folder.lock(tmp_path)

    holder.close()


def test_the_lock_is_free_again_when_its_holder_has_gone(tmp_path):
    folder.lock(tmp_path).close()

    with folder.lock(tmp_path):
        owner = (tmp_path / "up.lock").read_text()

    assert owner == f"{os.getpid()}\n"


def test_a_taken_port_is_told_with_another_one(listener):
    port = port_of(listener)

    with pytest.raises(CannotStart) as refused:
        folder.ensure_port_is_free("127.0.0.1", port)

    assert str(refused.value) == (
        f"Port {port} on 127.0.0.1 cannot be used (Address already in use). "
        f"Stop the program that holds it, or choose another: PORT={port + 1} bin/up"
    )


def test_a_free_port_is_accepted(listener):
    port = port_of(listener)
    listener.close()

    folder.ensure_port_is_free("127.0.0.1", port)

    assert folder.is_free(port)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(CannotStart, match=r"^Port 8000 on 192\.0\.2\.1 cannot be used \(Cannot assign"):
        folder.ensure_port_is_free("192.0.2.1", 8000)


def test_the_sink_keeps_its_port_over_restarts(tmp_path):
    first = folder.choose_sink_port(tmp_path, {})

    second = folder.choose_sink_port(tmp_path, {})

    assert first == second == folder.known_sink_port(tmp_path, {})


def test_the_sink_takes_another_port_when_its_own_is_taken(tmp_path, listener):
    (tmp_path / "mailsink.port").write_text(f"{port_of(listener)}\n")

    chosen = folder.choose_sink_port(tmp_path, {})

    assert chosen != port_of(listener)
    assert folder.known_sink_port(tmp_path, {}) == chosen


def test_the_operators_sink_port_wins(tmp_path):
    (tmp_path / "mailsink.port").write_text("2525\n")

    assert folder.choose_sink_port(tmp_path, {"PIPELIME_SINK_PORT": "2626"}) == 2626


def test_stale_bells_are_cleared(tmp_path):
    (tmp_path / "broker" / "control").mkdir(parents=True)
    (tmp_path / "broker" / "123.mail.celery.msg").write_text("{}")

    folder.clear_stale_bells(tmp_path)

    assert list(tmp_path.iterdir()) == []


def bin_up(**environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-m", "pipelime.running", "--no-demo"]
    return subprocess.run(
        command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_taken_port_ends_the_start_with_one_sentence_and_status_1(tmp_path, listener):
    port = port_of(listener)

    done = bin_up(PIPELIME_DATA=str(tmp_path / "var"), PORT=str(port))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Port {port} on 127.0.0.1 cannot be used")
    assert not (tmp_path / "var" / "secrets").exists()


def test_a_locked_folder_ends_the_start_with_one_sentence_and_status_1(tmp_path):
    with folder.lock(tmp_path):
        done = bin_up(PIPELIME_DATA=str(tmp_path), PORT="8000")

    assert done.returncode == 1
    assert done.stderr == (
        f"Another bin/up (process {os.getpid()}) already serves the data folder {tmp_path}. "
        "Stop that one, or set PIPELIME_DATA to another folder.\n"
    )


def test_a_port_that_is_no_number_ends_the_start_with_one_sentence_and_status_1(tmp_path):
    done = bin_up(PIPELIME_DATA=str(tmp_path), PORT="http")

    assert done.returncode == 1
    assert done.stderr == "PORT=http is not a port: use a number from 1 to 65535, for instance PORT=8001.\n"
