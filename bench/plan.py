"""Plans 100,000 contacts x 5 steps from 30 mailboxes over 60 days.

Usage: python bench/plan.py [daily cap of a mailbox] [gap in seconds]

Without arguments: with nothing but caps, with gaps, jitter and ramp-up, and with domain caps beside them.
"""

from __future__ import annotations

import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from outreach.scheduling import (
    Account,
    Campaign,
    Delay,
    Ramp,
    Schedule,
    Sender,
    State,
    Step,
    Via,
    Waiting,
    plan,
)  # fmt: skip

CONTACTS, MAILBOXES, DAYS = 100_000, 30, 60
LIMIT_SECONDS, LIMIT_MEGABYTES = 20, 500
START = datetime(2026, 3, 2, 6, tzinfo=UTC)  # the 60 days cross the change to summer time


def build_state(daily_cap: int, gap: int, jitter: int, ramp: Ramp | None, domain_cap: int | None) -> State:
    office_hours = [[(9 * 60, 12 * 60), (13 * 60, 18 * 60)]] * 5 + [[], []]
    zones = [ZoneInfo(name) for name in ("Europe/Paris", "America/Santiago", "Asia/Tokyo")]
    campaign = Campaign(
        id=1,
        seed=b"bench",
        schedule=Schedule(ZoneInfo("Europe/Paris"), office_hours),
        steps=[Step(number, Delay(days=3), [("a", 60), ("b", 40)]) for number in range(1, 6)],
        mailbox_ids=range(MAILBOXES),
    )
    senders = [
        Sender(
            number,
            Via.MAIL,
            zones[number % 3],
            daily_cap=daily_cap,
            gap_seconds=gap,
            jitter_seconds=jitter,
            ramp=ramp,
        )
        for number in range(MAILBOXES)
    ]
    waiting = [
        Waiting(number, 1, 1, START + timedelta(seconds=number % 86_400), domain=domain_of(number))
        for number in range(CONTACTS)
    ]
    return State([campaign], senders, waiting, Account(ZoneInfo("Europe/Paris"), domain_cap=domain_cap))


def domain_of(number: int) -> str:
    """A fifth are with one big provider, the others in companies of ten."""
    return "big.example" if number % 5 == 0 else f"company{number // 10}.example"


def measure(what: str, state: State) -> None:
    begin = time.perf_counter()

    planned = plan(state, START, START + timedelta(days=DAYS))
    left = sum(1 for _ in planned.left_over())

    seconds = time.perf_counter() - begin
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {len(planned.slots):,} slots, {left:,} left over")
    print(f"  {seconds:.2f} s = {seconds / LIMIT_SECONDS:.2f} of the limit of {LIMIT_SECONDS} s")
    print(
        f"  {megabytes:.0f} MB peak = {megabytes / LIMIT_MEGABYTES:.2f} of the limit of {LIMIT_MEGABYTES} MB"
    )


def main(daily_cap: int = 500, gap: int = 0) -> None:
    ramp = Ramp(START.date(), first=50, by=25)
    measure(f"cap {daily_cap} a day, gap {gap} s", build_state(daily_cap, gap, 0, None, None))
    measure("gap 30 to 60 s, ramp-up", build_state(daily_cap, 30, 30, ramp, None))
    measure("the same, 2,000 mails a day to a domain", build_state(daily_cap, 30, 30, ramp, 2000))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
