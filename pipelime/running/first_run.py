"""The demo account of a new installation, and where its login is kept."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelime.running import CannotStart
from pipelime.running.config import ROOT
from pipelime.running.secret_files import write_private
from pipelime.running.supervisor import die_with_parent

DEMO_EMAIL = "demo@example.com"


@dataclass(frozen=True)
class Demo:
    login: str
    password: str
    api_key: str


def run_python(environment: Mapping[str, str], *arguments: str) -> str:
    """Standard output of one short-lived process of ours; a failure is told in its own last words."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=die_with_parent(os.getpid()),
    )
    if done.returncode:
        words = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise CannotStart("\n".join(words[-15:]) or f"{arguments[0]} ended with status {done.returncode}.")
    return done.stdout


def ensure_demo(file: Path, environment: Mapping[str, str], say: Callable[[str], None]) -> Demo | None:
    """The demo's login when it was made just now; None on later starts, or when it could not be made."""
    if file.exists():
        return None
    demo = None
    try:
        demo = make_account(environment)
        # The one place where the login can be read again, should the terminal be gone.
        write_private(file, json.dumps(asdict(demo), indent=2) + "\n")
        run_python(environment, "manage.py", "demo")
    except CannotStart as error:
        say(f"The demo is not complete, Pipelime starts all the same: {error}")
    return demo


def make_account(environment: Mapping[str, str]) -> Demo:
    password = secrets.token_urlsafe(12)
    command = ["manage.py", "create_account", "Demo", "--email", DEMO_EMAIL, f"--password={password}"]
    made = json.loads(run_python(environment, *command, "--json"))
    return Demo(DEMO_EMAIL, password, made["api_key"])
