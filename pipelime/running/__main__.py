"""`bin/up`: the order in which an installation on one machine comes to life."""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress

from pipelime.running import CannotStart, folder
from pipelime.running.config import ROOT, Config, child_environment
from pipelime.running.first_run import Demo, ensure_demo, run_python
from pipelime.running.programs import children
from pipelime.running.secret_files import ensure_secrets
from pipelime.running.supervisor import Child, Supervisor

FIRST = {"web", "mailsink"}
SLOW_START = 30.0


def say(sentence: str) -> None:
    print(sentence.rstrip(), flush=True)  # noqa: T201  the terminal is this program's only reader


def main() -> int:
    options = argument_parser().parse_args()
    # Until the supervisor takes over, TERM ends the preparation as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.chdir(ROOT)
    try:
        serve(Config.read(os.environ, demo=options.demo))
    except CannotStart as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        say("Stopped before the start was complete; bin/up goes on from there.")
        return 130
    say("Stopped.")
    return 0


def argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bin/up",
        description="Runs Pipelime on this machine until Ctrl-C.",
        epilog="Environment: PORT (8000), HOST (127.0.0.1), PIPELIME_DATA (var/), DATABASE_URL, BROKER_URL.",
    )
    parser.add_argument("--no-demo", dest="demo", action="store_false", help="make no demo account")
    return parser


def serve(config: Config) -> None:
    folder.ensure_writable(config.data)
    with folder.lock(config.data):
        folder.ensure_port_is_free(config.host, config.port)
        sink_port = folder.choose_sink_port(config.data, os.environ)
        secrets = ensure_secrets(config.secrets, os.environ)
        environment = child_environment(config, os.environ, secrets, sink_port)
        if not config.brings_broker:
            folder.clear_stale_bells(config.data)
        for line in run_python(environment, "-m", "pipelime.upgrading").splitlines():
            say(line)
        demo = ensure_demo(config.secrets / "demo.json", environment, say) if config.demo else None
        Opening(config, demo, children(config, environment, sink_port)).run()


class Opening:
    """Web and mail sink come first, the rest once the pages answer: all at once would slow each other."""

    def __init__(self, config: Config, demo: Demo | None, programs: Sequence[Child]) -> None:
        self.config = config
        self.demo = demo
        self.waiting = [child for child in programs if child.name not in FIRST]
        self.supervisor = Supervisor([child for child in programs if child.name in FIRST], say=say)
        self.deadline = time.monotonic() + SLOW_START
        self.is_ready = False

    def run(self) -> None:
        self.supervisor.run(self.watch)

    def watch(self) -> None:
        if self.is_ready:
            return
        if answers(f"{self.config.local_url}/healthz"):
            self.is_ready = True
            say(ready_message(self.config, self.demo))
            self.start_the_rest()
        elif self.waiting and time.monotonic() > self.deadline:
            say(f"The pages do not answer yet; {self.config.logs / 'web.log'} may tell why.")
            self.start_the_rest()

    def start_the_rest(self) -> None:
        self.supervisor.children += self.waiting
        self.waiting = []


def answers(url: str) -> bool:
    # No proxy: an HTTP_PROXY in the environment must not be asked for this machine's own pages.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(OSError, http.client.HTTPException), opener.open(url, timeout=1) as answer:
        return bool(answer.status == 200)
    return False


def ready_message(config: Config, demo: Demo | None) -> str:
    lines = [f"Pipelime is ready: {config.local_url}/"]
    demo_file = config.secrets / "demo.json"
    if demo:
        lines += [
            f"  login     {demo.login}",
            f"  password  {demo.password}",
            f"  API key   {demo.api_key}",
        ]
    elif config.demo and demo_file.exists():
        lines.append(f"  demo      its login is in {demo_file}")
    lines.append(f"  data      {config.data}")
    lines.append("Ctrl-C stops it.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
