"""A campaign that is sent while everything around it breaks; then every mail and every row is accounted for.

Usage: python bench/faults.py [--embedded] [--seed N] [--mails N] [--kills N] [--minutes N] [--keep FOLDER]
By default 10,000 mails from 20 mailboxes (two steps to 5,250 people: after a mail in doubt there is no
second one) by a whole installation and five more workers, on a PostgreSQL and a Redis that are started for
this alone; --embedded takes SQLite and the file broker. Meanwhile, at moments drawn from the seed, 200
workers are killed and some are stopped for longer than their lease, PostgreSQL crashes, Redis is emptied
and killed; and of 2 % of the mails the server takes the last dot and hangs up. The log, the Message-IDs
that arrived and the workers' own log are kept in FOLDER (var/faults/<time>). Exit status 1 when an account
does not balance, or when --minutes (60) were not enough.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.faults_accounting import message_ids, prove, settle_accounts
from bench.faults_services import Herd, Moods, OwnPostgres
from pipelime.running.config import ROOT
from tests.end_to_end.installation import Installation, OwnRedis, wait_until
from tests.sinks import SmtpSink

MAILBOXES, STEPS, HERD = 20, 2, 5
DROPPED = 0.02
PAUSES, FLUSHES, REDIS_KILLS, CRASHES = 5, 5, 2, 3
PAUSE_SECONDS = 10.0  # longer than the lease in bench/faults_settings.py
LAST_FAULT = 0.95  # of all mails; then whoever is left may finish in peace
SPARE = 1.05  # more people than are needed, since whoever is in doubt gets no second step


class Fault(NamedTuple):
    after: int  # mails at the server
    what: str


class Run:
    def __init__(self, options: argparse.Namespace, folder: Path, stack: ExitStack):
        self.options = options
        self.folder = folder
        self.chance = random.Random(options.seed)
        self.began = time.monotonic()
        self.ends = self.began + options.minutes * 60
        self.log = stack.enter_context((folder / "faults.log").open("w"))
        self.done: Counter[str] = Counter()
        self.moods = Moods(options.seed, DROPPED)
        self.sink = stack.enter_context(SmtpSink({"dot": self.moods}))
        self.postgres = None if options.embedded else OwnPostgres(stack)
        self.redis = None if options.embedded else OwnRedis(stack)
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pipelime-faults-")))
        self.up = Installation(
            data,
            database_url=self.postgres.url if self.postgres else "",
            broker_url=self.redis.url if self.redis else "",
            settings="bench.faults_settings",
        )
        stack.enter_context(self.up)
        self.up.create_account()
        self.herd = Herd(self.up, HERD, folder / "workers.log", stack)

    def say(self, words: str) -> None:
        line = f"{time.monotonic() - self.began:7.1f} s  {self.sink.count:6} mails  {words}"
        print(line, flush=True)
        self.log.write(f"{line}\n")
        self.log.flush()

    def schedule(self) -> list[Fault]:
        """In the order in which they happen; the same for the same seed."""
        kinds = ["kill a worker"] * self.options.kills + ["stop a worker"] * PAUSES
        if self.redis:
            kinds += ["empty Redis"] * FLUSHES + ["kill Redis"] * REDIS_KILLS
        if self.postgres:
            kinds += ["crash PostgreSQL"] * CRASHES
        most = int(self.options.mails * LAST_FAULT)
        return sorted(Fault(self.chance.randrange(1, most), kind) for kind in kinds)

    def inflict(self, what: str) -> None:
        {
            "kill a worker": self.kill_a_worker,
            "stop a worker": self.stop_a_worker,
            "empty Redis": self.empty_redis,
            "kill Redis": self.kill_redis,
            "crash PostgreSQL": self.crash_postgres,
        }[what]()
        self.done[what] += 1

    def kill_a_worker(self) -> None:
        """One of the herd, or the one that the installation looks after by itself."""
        supervised = self.up.worker_group()
        victim = self.chance.choice([*self.herd.alive, *([supervised] if supervised else [])])
        if victim == supervised:
            os.killpg(victim, signal.SIGKILL)
        else:
            self.herd.kill(victim)
        self.say(f"SIGKILL to worker {victim}")

    def stop_a_worker(self) -> None:
        victim = self.chance.choice(self.herd.alive)
        self.herd.pause(victim, PAUSE_SECONDS)
        self.say(f"SIGSTOP to worker {victim}, for {PAUSE_SECONDS:.0f} s")

    def empty_redis(self) -> None:
        assert self.redis
        self.say(f"FLUSHALL: {self.redis.command(b'FLUSHALL').decode().strip()}")

    def kill_redis(self) -> None:
        assert self.redis
        self.redis.kill()
        time.sleep(2)
        self.redis.start()
        self.say("SIGKILL to Redis; after two seconds it is back, empty")

    def crash_postgres(self) -> None:
        assert self.postgres
        self.postgres.crash_and_restart()
        self.say("PostgreSQL stopped at once, without a checkpoint, and is back")

    def wait(self, holds: Callable[[], bool]) -> bool:
        """False when the time is over first."""
        while not holds():
            if time.monotonic() > self.ends:
                return False
            time.sleep(0.02)
        return True


def prepare(run: Run, people: int) -> str:
    """Import the people and start a campaign to them; its id."""
    up, file = run.up, run.folder / "people.csv"
    rows = [f"Grace,Hopper{n},grace{n}@kunde{n % 400}.example" for n in range(people)]
    file.write_text("\n".join(["First name,Last name,E-mail", *rows]))
    up.patch("/api/account", {"postal_address": "1 Main Street, 80331 München"})
    job = up.upload("/api/contacts/import", file)["id"]
    wait_until(lambda: up.get(f"/api/imports/{job}")["status"] in ("done", "failed"), seconds=300)
    server = {"host": "127.0.0.1", "port": run.sink.port, "security": "none"}
    mailboxes = [
        up.post(
            "/api/email-accounts",
            {"email": f"sales{n}@pipelime.example", "name": "Sam", "smtp": server, "daily_limit": 50_000},
        )["id"]
        for n in range(MAILBOXES)
    ]
    steps = [
        {
            "channel": "email",
            "subject": "Hello {{ first_name }}",
            "body": "Dear {{ first_name }}, a word.",
        },
        {"channel": "email", "delay": {"days": 0}, "subject": "", "body": "Any thoughts, {{ first_name }}?"},
    ]
    campaign = up.post("/api/campaigns", {"name": "Faults", "steps": steps, "email_account_ids": mailboxes})[
        "id"
    ]
    added = up.post(f"/api/campaigns/{campaign}/contacts", {"import_id": job})["added"]
    assert added == people, f"{added} of {people} were added"
    up.post(f"/api/campaigns/{campaign}/start")
    return campaign


def is_finished(run: Run, campaign: str) -> bool:
    """Asked while PostgreSQL may be away, so that an error only means: not yet."""
    time.sleep(1)
    try:
        return run.up.get(f"/api/campaigns/{campaign}")["status"] == "FINISHED"
    except (AssertionError, OSError):
        return False


def suffer(run: Run) -> None:
    for fault in run.schedule():
        if not run.wait(lambda fault=fault: run.sink.count >= fault.after):
            return
        time.sleep(run.chance.uniform(0, 0.1))
        run.inflict(fault.what)


def account_for(run: Run, campaign: str, people: int) -> bool:
    run.sink.finish()
    received = message_ids(run.sink.arrivals)
    messages = run.up.every(f"/api/campaigns/{campaign}/messages?order=id")
    doubtful = run.up.every("/api/messages?status=ambiguous")
    states = Counter(message["status"] for message in messages)
    run.say(f"{len(received)} mails received, {run.moods.dropped} of them with no answer to the dot")
    run.say(f"rows: {dict(states)}")
    run.say(f"faults: {dict(run.done)}")
    accounts = settle_accounts(messages, received, doubtful, people, STEPS)
    for account in accounts:
        run.say(str(account))
    for line in prove(run.up, received, run.folder / "received.txt").splitlines():
        run.say(f"prove_no_double: {line}")
    return not any(account.offenders for account in accounts)


def main(options: argparse.Namespace) -> int:
    folder = options.keep or ROOT / "var" / "faults" / f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that everything started here is ended
    people = int(options.mails * SPARE / STEPS)
    with ExitStack() as stack:
        run = Run(options, folder, stack)
        where = "SQLite and files" if options.embedded else "PostgreSQL and Redis"
        run.say(f"{options.mails} mails on {where}, seed {options.seed}; everything is kept in {folder}")
        campaign = prepare(run, people)
        run.say("the campaign is started")
        suffer(run)
        run.say("the last fault is over")
        finished = run.wait(lambda: is_finished(run, campaign))
        run.say("the campaign is finished" if finished else "the time is over, the campaign is not")
        well = account_for(run, campaign, people) and finished
        run.say("Everything is accounted for." if well else "NOT everything is accounted for.")
    return 0 if well else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--embedded", action="store_true", help="SQLite and the file broker")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--mails", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--keep", type=Path, help="the folder for the log")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(arguments()))
