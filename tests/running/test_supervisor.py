"""Children live in groups of their own, come back when they die, and never outlive their supervisor."""

from __future__ import annotations

import os
import re
import select
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from pipelime.running.supervisor import LOG_LIMIT, Child, Supervisor, ended, last_line, open_log

FOREVER = 'echo $$ > "$FIFO"; exec sleep 600'


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def child(tmp_path: Path, script: str = "exec sleep 600") -> Child:
    return Child("web", ["sh", "-c", script], tmp_path / "web.log")


def wait_until_gone(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended_in_time, _, _ = select.select([descriptor], [], [], 30)
    os.close(descriptor)
    assert ended_in_time, f"process {pid} is still there after 30 s"


def test_a_killed_child_is_started_again_and_the_reason_is_told(supervise):
    running = supervise(FOREVER)
    first = int(running.hear())

    os.kill(first, signal.SIGKILL)

    assert running.said() == "child0 was ended by SIGKILL after 0 s; again in 1 s."
    assert int(running.hear()) != first


def test_the_last_line_of_a_failed_child_is_shown(supervise, tmp_path):
    running = supervise("echo first; echo no such table >&2; exit 3")

    sentence = running.said()

    log = tmp_path / "logs" / "child0.log"
    expected = f"child0 ended with status 3 after 0 s; again in 1 s. Its last line in {log}: no such table"
    assert sentence == expected


def test_a_program_that_cannot_be_started_is_told_and_tried_again(tmp_path):
    said: list[str] = []
    missing = Child("web", ["/no/such/program"], tmp_path / "web.log")
    supervisor = Supervisor([missing], say=said.append, clock=lambda: 100.0)

    supervisor.step()

    assert re.match(r"web cannot be started: .*/no/such/program.* again in 1 s\.", said[0])
    assert missing.start_at == 101.0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_child_and_the_status_is_zero(supervise, number):
    running = supervise(FOREVER, FOREVER)
    pids = [int(running.hear()), int(running.hear())]

    running.signal(number)

    assert running.end() == 0
    assert [is_running(pid) for pid in pids] == [False, False]


def test_a_child_that_ignores_term_is_killed_when_patience_ends(supervise):
    running = supervise('trap "" TERM; echo $$ > "$FIFO"; while :; do sleep 600; done', patience=0.2)
    pid = int(running.hear())

    running.signal(signal.SIGTERM)

    assert running.end() == 0
    assert not is_running(pid)


def test_a_second_signal_ends_the_patience(supervise):
    script = 'trap "echo asked > $FIFO" TERM; echo $$ > "$FIFO"; while :; do sleep 600 & wait; done'
    running = supervise(script, patience=600)
    pid = int(running.hear())
    running.signal(signal.SIGINT)
    assert running.hear() == "asked"

    running.signal(signal.SIGINT)

    assert running.end() == 0
    assert not is_running(pid)


def test_grandchildren_end_with_their_group(supervise):
    running = supervise('trap "" TERM; sleep 600 & echo $! > "$FIFO"; trap - TERM; exec sleep 600')
    grandchild = int(running.hear())

    running.signal(signal.SIGTERM)

    assert running.end() == 0
    assert not is_running(grandchild)


def test_what_a_dead_child_left_behind_is_killed_before_it_starts_again(supervise):
    running = supervise('sleep 600 & echo $! > "$FIFO"; exit 1')
    orphan = int(running.hear())

    running.said()

    assert not is_running(orphan)


def test_children_die_with_a_killed_supervisor(supervise):
    running = supervise(FOREVER)
    pid = int(running.hear())

    running.signal(signal.SIGKILL)
    running.end()

    wait_until_gone(pid)


def test_each_child_leads_its_own_group(tmp_path):
    one = child(tmp_path)

    one.start(now=0.0)

    assert one.process
    assert os.getpgid(one.process.pid) == one.process.pid != os.getpgrp()
    assert one.bury() == -signal.SIGKILL


def test_pauses_double_up_to_half_a_minute(tmp_path):
    one = child(tmp_path)

    pauses = [one.back_off(now=10.0) for _ in range(7)]

    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert one.start_at == 40.0


def test_a_minute_of_life_starts_the_back_off_anew(tmp_path):
    one = child(tmp_path)
    one.failures, one.started_at = 6, 1000.0

    almost = replace(one).back_off(now=1059.9)
    proven = one.back_off(now=1060.0)

    assert (almost, proven) == (30.0, 1.0)


def test_a_child_is_not_started_before_its_pause_is_over(tmp_path):
    now = 100.0
    one = child(tmp_path)
    one.start_at = 101.0
    supervisor = Supervisor([one], say=print, clock=lambda: now)

    supervisor.step()
    early = one.process
    now = 101.0
    supervisor.step()

    assert early is None
    assert one.is_alive()
    one.bury()


def test_a_large_log_is_set_aside_at_the_next_start(tmp_path):
    log = tmp_path / "web.log"
    log.touch()
    os.truncate(log, LOG_LIMIT + 1)

    open_log(log).close()

    assert log.stat().st_size == 0
    assert (tmp_path / "web.log.1").stat().st_size == LOG_LIMIT + 1


def test_an_end_is_told_by_status_or_by_signal():
    assert ended(1) == "ended with status 1"
    assert ended(-9) == "was ended by SIGKILL"


def test_a_log_that_is_not_there_adds_nothing(tmp_path):
    assert last_line(tmp_path / "none.log") == ""
