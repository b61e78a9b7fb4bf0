"""Random campaigns around the days on which clocks change."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from outreach.scheduling import Account, Campaign, Delay, Ramp, Schedule, Sender, State, Step, Via, Waiting
from tests.outreach.scheduling.builders import utc

ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/Santiago", "Australia/Lord_Howe"]).map(ZoneInfo)
DOMAINS = st.sampled_from(["big.example", "small.example", "tiny.example"])
FACTS = st.frozensets(st.sampled_from(["replied", "connected", "clicked"]))
# Two days before each: summer and winter time in Paris and in Santiago, Lord Howe's half hour, a leap day.
STARTS = st.sampled_from(
    [
        utc(text)
        for text in (
            "2026-03-27T22:10",
            "2026-10-23T21:40",
            "2026-09-04T20:00",
            "2026-04-03T09:00",
            "2026-10-02T13:00",
            "2028-02-27T23:00",
        )
    ]
)


@st.composite
def windows(draw):
    opens = draw(st.integers(0, 20))
    pause = draw(st.integers(opens + 1, 30))
    resumes = draw(st.integers(pause, 34))
    closes = draw(st.integers(resumes + 1, 48))
    return [(30 * opens, 30 * pause), (30 * resumes, 30 * closes)]


@st.composite
def used(draw, start, days=2):
    some = draw(st.sets(st.integers(0, days)))
    return {start.date() + timedelta(days=n): draw(st.integers(0, 3)) for n in some}


@st.composite
def schedules(draw, start):
    week = [draw(windows()) if draw(st.integers(0, 4)) else [] for _ in range(7)]
    first = draw(st.none() | st.just(start.date() + timedelta(days=1)))
    last = draw(st.none() | st.integers(3, 6).map(lambda n: start.date() + timedelta(days=n)))
    off = draw(st.frozensets(st.integers(0, 5).map(lambda n: start.date() + timedelta(days=n)), max_size=1))
    return Schedule(draw(ZONES), week, first, last, off)


@st.composite
def delays(draw):
    kind = draw(st.sampled_from(["days", "business_days", "hours"]))
    return Delay(**{kind: draw(st.integers(0, 2 if kind != "hours" else 30))})


@st.composite
def steps(draw, number):
    via = draw(st.sampled_from([Via.MAIL, Via.MAIL, Via.LINKEDIN, Via.HAND]))
    condition = draw(st.sampled_from(["", "", "", "replied", "connected"]))
    return Step(number, draw(delays()), [("a", 2), ("b", 1)], via, condition)


@st.composite
def campaigns(draw, id_, start, senders):
    ids = {via: [sender.id for sender in senders if sender.via is via] for via in Via}
    return Campaign(
        id=id_,
        seed=bytes([id_]),
        schedule=draw(schedules(start)),
        steps=[draw(steps(number)) for number in range(1, draw(st.integers(2, 3)) + 1)],
        mailbox_ids=draw(st.lists(st.sampled_from(ids[Via.MAIL]), min_size=1, unique=True)),
        linkedin_ids=draw(st.lists(st.sampled_from(ids[Via.LINKEDIN]), min_size=1, unique=True)),
        daily_cap=draw(st.none() | st.integers(2, 9)),
        used=draw(used(start)),
        new_first=draw(st.booleans()),
        window_zone=draw(st.sampled_from(["campaign", "mailbox", "contact"])),
    )


@st.composite
def senders(draw, id_, via, start, jitters):
    is_mailbox = via is Via.MAIL
    return Sender(
        id=id_,
        via=via,
        zone=draw(ZONES),
        daily_cap=draw(st.none() | st.integers(0, 8)),
        used=draw(used(start)),
        gap_seconds=60 * draw(st.sampled_from([0, 1, 25, 240])) if is_mailbox else 0,
        jitter_seconds=draw(st.sampled_from(jitters)) if is_mailbox else 0,
        free_at=draw(st.none() | st.integers(-60, 60).map(lambda n: start + timedelta(minutes=n))),
        ramp=draw(st.none() | st.builds(Ramp, st.just(start.date()), st.integers(0, 3), st.integers(0, 3))),
    )


@st.composite
def accounts(draw, start):
    return Account(
        zone=draw(ZONES),
        daily_cap=draw(st.none() | st.integers(3, 12)),
        used=draw(used(start)),
        domain_cap=draw(st.none() | st.integers(1, 4)),
        used_by_domain=draw(st.dictionaries(DOMAINS, used(start, days=0), max_size=2)),
    )


@st.composite
def starts_and_states(draw, jitters=(0, 400)):
    start = draw(STARTS)
    boxes = [draw(senders(id_, Via.MAIL, start, jitters)) for id_ in range(1, draw(st.integers(1, 3)) + 1)]
    some = range(1, draw(st.integers(1, 2)) + 1)
    profiles = [draw(senders(id_, Via.LINKEDIN, start, jitters)) for id_ in some]
    everybody = [*boxes, *profiles]
    runs = [draw(campaigns(id_, start, everybody)) for id_ in range(1, draw(st.integers(1, 2)) + 1)]
    waiting = []
    for enrolment_id in range(draw(st.integers(8, 20))):
        run = draw(st.sampled_from(runs))
        due = start + timedelta(minutes=draw(st.integers(-600, 1500)))
        step = draw(st.sampled_from(run.steps)).number
        box = draw(st.sampled_from(run.mailbox_ids)) if step > 1 else None
        profile = draw(st.none() | st.sampled_from(run.linkedin_ids)) if step > 1 else None
        who = draw(st.none() | ZONES), draw(DOMAINS), draw(FACTS), draw(st.integers(0, 9)) > 0
        waiting.append(Waiting(enrolment_id, run.id, step, due, box, profile, *who))
    return start, State(runs, everybody, waiting, draw(accounts(start)))


def local_date(moment, zone) -> date:
    return moment.astimezone(zone).date()
