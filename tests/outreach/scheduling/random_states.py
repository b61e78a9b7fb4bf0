"""Random campaigns around the days on which clocks change."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from outreach.scheduling import Campaign, Delay, Mailbox, Schedule, State, Step, Waiting
from tests.outreach.scheduling.builders import utc

ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/Santiago", "Australia/Lord_Howe"]).map(ZoneInfo)
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
def used(draw, start):
    return {
        start.date() + timedelta(days=n): draw(st.integers(0, 3)) for n in draw(st.sets(st.integers(0, 2)))
    }


@st.composite
def schedules(draw, start):
    week = [draw(windows()) if draw(st.integers(0, 4)) else [] for _ in range(7)]
    first = draw(st.none() | st.just(start.date() + timedelta(days=1)))
    last = draw(st.none() | st.integers(3, 6).map(lambda n: start.date() + timedelta(days=n)))
    return Schedule(draw(ZONES), week, first, last)


@st.composite
def delays(draw, shortest):
    kind = draw(st.sampled_from(["days", "business_days", "hours"]))
    return Delay(**{kind: draw(st.integers(shortest, 2 if kind != "hours" else 30))})


@st.composite
def campaigns(draw, id_, start, mailbox_ids, shortest_delay):
    steps = [
        Step(number, draw(delays(shortest_delay)), [("a", 2), ("b", 1)])
        for number in range(1, draw(st.integers(2, 3)) + 1)
    ]
    cap = draw(st.none() | st.integers(2, 9))
    chosen = draw(st.lists(st.sampled_from(mailbox_ids), min_size=1, unique=True))
    return Campaign(id_, bytes([id_]), draw(schedules(start)), steps, chosen, cap, draw(used(start)))


@st.composite
def mailboxes(draw, id_, start):
    gap = 60 * draw(st.sampled_from([0, 1, 25, 240]))
    last_slot = draw(st.none() | st.integers(1, 60).map(lambda n: start - timedelta(minutes=n)))
    return Mailbox(id_, draw(ZONES), draw(st.none() | st.integers(0, 8)), draw(used(start)), gap, last_slot)


@st.composite
def starts_and_states(draw, shortest_delay=0):
    start = draw(STARTS)
    boxes = [draw(mailboxes(id_, start)) for id_ in range(1, draw(st.integers(1, 3)) + 1)]
    ids = [box.id for box in boxes]
    runs = [draw(campaigns(id_, start, ids, shortest_delay)) for id_ in range(1, draw(st.integers(1, 2)) + 1)]
    waiting = []
    for enrolment_id in range(draw(st.integers(8, 20))):
        run = draw(st.sampled_from(runs))
        due = start + timedelta(minutes=draw(st.integers(-600, 1500)))
        step = draw(st.sampled_from(run.steps)).number
        sender = draw(st.sampled_from(run.mailbox_ids)) if step > 1 else None
        waiting.append(Waiting(enrolment_id, run.id, step, due, sender))
    return start, State(runs, boxes, waiting)


def local_date(moment, zone) -> date:
    return moment.astimezone(zone).date()
