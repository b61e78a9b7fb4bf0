"""What bench/faults may break: a PostgreSQL cluster, workers and a mail server, all of its own."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from pipelime.running.config import ROOT, Config, child_environment
from pipelime.running.secret_files import ensure_secrets
from tests.end_to_end.installation import Installation, free_port
from tests.sinks import Delay, Drop

SLOWEST_ANSWER = 0.03  # seconds; so that many a kill finds a mail between its dot and the answer


class OwnPostgres:
    """A temporary cluster; initdb refuses to run as root, so root has it run by the user postgres."""

    def __init__(self, stack: ExitStack):
        self.bin = Path(programs())
        self.folder = Path(tempfile.mkdtemp(prefix="pipelime-faults-pg-"))
        stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.who: dict = {}
        if os.geteuid() == 0:
            postgres = pwd.getpwnam("postgres")
            os.chown(self.folder, postgres.pw_uid, postgres.pw_gid)
            self.who = {"user": postgres.pw_uid, "group": postgres.pw_gid, "extra_groups": []}
        self.data, self.port = self.folder / "data", free_port()
        self.run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "-D", str(self.data))
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
        stack.callback(self.control, "stop", "-m", "immediate")
        self.control("start", "-o", options)
        self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "pipelime")
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/pipelime"

    def crash_and_restart(self) -> None:
        """No checkpoint, no farewell: every connection breaks, and the start replays the log."""
        self.control("restart", "-m", "immediate")

    def control(self, *words: str) -> None:
        self.run("pg_ctl", "-D", str(self.data), "-l", str(self.folder / "server.log"), "-w", *words)

    def run(self, program: str, *words: str) -> None:
        subprocess.run(
            [str(self.bin / program), *words],
            check=True,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            **self.who,
        )


def programs() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not newest:
        sys.exit("initdb was not found: install PostgreSQL's server, or run with --embedded.")
    return newest[-1].parent


class Herd:
    """Workers beside the installation's own, as an operator starts more of them; whoever dies is replaced."""

    def __init__(self, installation: Installation, size: int, log: Path, stack: ExitStack):
        self.alive: list[int] = []
        self.timers: list[threading.Timer] = []
        self.nursery = subprocess.Popen(
            [sys.executable, "-m", "bench.faults_worker"],
            cwd=ROOT,
            env=environment_of(installation),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stack.enter_context(log.open("wb")),
            text=True,
        )
        stack.callback(self.end)
        for _ in range(size):
            self.start()

    def start(self) -> None:
        assert self.nursery.stdin
        assert self.nursery.stdout
        self.nursery.stdin.write("one more\n")
        self.nursery.stdin.flush()
        self.alive.append(int(self.nursery.stdout.readline()))

    def kill(self, pid: int) -> None:
        self.alive.remove(pid)
        os.kill(pid, signal.SIGKILL)
        self.start()

    def pause(self, pid: int, seconds: float) -> None:
        """SIGSTOP now, SIGCONT later, unless it was killed meanwhile."""
        os.kill(pid, signal.SIGSTOP)
        self.timers.append(threading.Timer(seconds, self.wake, [pid]))
        self.timers[-1].start()

    def wake(self, pid: int) -> None:
        if pid in self.alive:
            os.kill(pid, signal.SIGCONT)

    def end(self) -> None:
        for timer in self.timers:
            timer.cancel()
        for pid in self.alive:
            os.kill(pid, signal.SIGKILL)
        self.alive.clear()
        self.nursery.communicate(timeout=20)


def environment_of(installation: Installation) -> dict[str, str]:
    """What `bin/up` gives to the worker that it starts itself."""
    config = Config.read(installation.environment)
    secrets = ensure_secrets(config.secrets, installation.environment)
    return child_environment(config, installation.environment, secrets, None)


class Moods:
    """What the mail server answers to the dot: mostly a slow yes; sometimes it takes the mail and is gone."""

    def __init__(self, seed: int, share_dropped: float):
        self.chance = random.Random(f"moods {seed}")
        self.share_dropped = share_dropped
        self.dropped = 0
        self.lock = threading.Lock()

    def __call__(self, _: str) -> Delay | Drop:
        with self.lock:
            point = self.chance.random()
            pause = self.chance.uniform(0, SLOWEST_ANSWER)
            if point >= self.share_dropped:
                return Delay(pause, "250 2.0.0 queued")
            self.dropped += 1
        return Drop("rst" if point < self.share_dropped / 2 else "fin")
