"""A supervisor in a process of its own, watched through its standard output."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = """
import sys
from pathlib import Path
from pipelime.running.supervisor import Child, Supervisor
folder, patience, *scripts = sys.argv[1:]
children = [
    Child(f"child{n}", ["sh", "-c", script], Path(folder) / f"child{n}.log")
    for n, script in enumerate(scripts)
]
supervisor = Supervisor(children, say=lambda text: print(text, flush=True), patience=float(patience))
supervisor.run(lambda: None)
print("stopped", flush=True)
"""


class Running:
    """Children write into a FIFO; reading it waits for them without guessing at times."""

    def __init__(self, process: subprocess.Popen[str], fifo: int) -> None:
        self.process = process
        self.words = os.fdopen(fifo, "r")

    def hear(self) -> str:
        return self.words.readline().strip()

    def said(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        return self.process.wait(timeout=30)


Supervise = Callable[..., Running]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    """Start a supervisor over shell scripts; "$FIFO" in a script is where this test listens."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # Read and write, so that opening does not wait and the end of one child is no end of file.
    descriptor = os.open(fifo, os.O_RDWR)
    started: list[Running] = []

    def start(*scripts: str, patience: float = 20) -> Running:
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / "logs"), str(patience), *scripts]
        environment = {**os.environ, "FIFO": str(fifo), "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(Running(process, descriptor))
        return started[-1]

    yield start

    for running in started:
        running.process.kill()
        running.process.wait()
        running.words.close()
        if running.process.stdout:
            running.process.stdout.close()
