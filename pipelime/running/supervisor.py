"""Keeps processes alive, each in a group of its own, and leaves none behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import BinaryIO

LONGEST_PAUSE = 30.0
PROVEN_AFTER = 60.0  # a child that lived this long starts its back-off anew
PATIENCE = 20.0  # between asking the children to end and killing them
BEAT = 0.1
LOG_LIMIT = 10 * 1024 * 1024

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
# Loaded before any fork: the child may only call what is already there.
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(parent: int) -> Callable[[], None]:
    """For `preexec_fn`. KILL: nobody is left to press a child that ignores TERM, and rows lose nothing."""

    def in_child() -> None:
        if LIBC:
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return in_child


def adopt_orphans() -> None:
    """Grandchildren whose parent died become ours, so that we can wait until they are really gone."""
    if LIBC:
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass
class Child:
    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    start_at: float = 0.0

    def start(self, now: float) -> None:
        self.started_at = now
        with open_log(self.log) as log:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509  the supervisor has one thread
            )

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_end(self) -> None:
        if self.process:
            signal_group(self.process.pid, signal.SIGTERM)

    def bury(self) -> int:
        """Kill what is left of the group and wait for it; the status of its first process."""
        if self.process is None:
            return 0
        signal_group(self.process.pid, signal.SIGKILL)
        status = self.process.wait()
        wait_for_group(self.process.pid)
        self.process = None
        return status

    def back_off(self, now: float) -> float:
        self.failures = 1 if now - self.started_at >= PROVEN_AFTER else self.failures + 1
        pause = min(2.0 ** (self.failures - 1), LONGEST_PAUSE)
        self.start_at = now + pause
        return pause


class Supervisor:
    def __init__(
        self,
        children: Sequence[Child],
        *,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        self.children = list(children)
        self.say = say
        self.clock = clock
        self.patience = patience
        self.signals = 0

    def run(self, watch: Callable[[], None]) -> None:
        """Serve until a signal; `watch` is called at every beat."""
        adopt_orphans()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.on_signal)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup asks to outlive the terminal
            signal.signal(signal.SIGHUP, self.on_signal)
        try:
            while not self.signals:
                self.step()
                watch()
                time.sleep(BEAT)
        finally:
            self.stop()

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signals += 1

    def step(self) -> None:
        now = self.clock()
        for child in self.children:
            if child.process is None and now >= child.start_at:
                self.start(child, now)
            elif child.process is not None and not child.is_alive():
                self.explain(child, now, ended(child.bury()))

    def start(self, child: Child, now: float) -> None:
        try:
            child.start(now)
        except OSError as error:
            self.explain(child, now, f"cannot be started: {error}")

    def explain(self, child: Child, now: float, what: str) -> None:
        lived = now - child.started_at
        pause = child.back_off(now)
        self.say(f"{child.name} {what} after {lived:.0f} s; again in {pause:.0f} s. {last_line(child.log)}")

    def stop(self) -> None:
        """A second signal ends the patience."""
        asked = self.signals
        for child in self.children:
            child.ask_to_end()
        deadline = time.monotonic() + self.patience
        while any(child.is_alive() for child in self.children):
            if time.monotonic() >= deadline or self.signals > max(asked, 1):
                break
            time.sleep(BEAT / 2)
        for child in self.children:
            child.bury()


def signal_group(group: int, number: signal.Signals) -> None:
    # PermissionError: how macOS says that only dead processes are left in the group.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def wait_for_group(group: int) -> None:
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-group, 0)


def ended(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def open_log(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def last_line(path: Path) -> str:
    """What the process said last: mostly the reason of its end."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 4096))
            lines = log.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    return f"Its last line in {path}: {said[-1][:300]}" if said else ""
