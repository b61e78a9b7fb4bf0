"""The smallest valid values for planning tests; a test states what it cares about."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from outreach.scheduling import Campaign, Delay, Mailbox, Schedule, Slot, State, Step, Waiting

PARIS = ZoneInfo("Europe/Paris")
SANTIAGO = ZoneInfo("America/Santiago")
ALL_DAY = [[(0, 24 * 60)]] * 7


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def make_step(number: int = 1, variants=(("a", 1),), **delay: int) -> Step:
    return Step(number, Delay(**delay), variants)


def make_campaign(**given) -> Campaign:
    defaults = {
        "id": 1,
        "seed": b"seed",
        "schedule": Schedule(ZoneInfo("UTC"), ALL_DAY),
        "steps": [make_step()],
        "mailbox_ids": [7],
    }
    return Campaign(**defaults | given)


def make_mailbox(id_: int = 7, **given) -> Mailbox:
    return Mailbox(id_, **{"zone": ZoneInfo("UTC")} | given)


def make_waiting(enrolment_id: int, due: datetime, **given) -> Waiting:
    return Waiting(**{"enrolment_id": enrolment_id, "campaign_id": 1, "step_number": 1, "due": due} | given)


def make_state(waiting, *, mailboxes=None, **campaign) -> State:
    return State([make_campaign(**campaign)], mailboxes or [make_mailbox()], waiting)


def brief(slots: list[Slot]) -> list[tuple[int, int, str]]:
    """Enrolment, step and UTC time of each slot, short enough to read in an assertion."""
    return [(slot.enrolment_id, slot.step_number, f"{slot.at:%m-%d %H:%M}") for slot in slots]
