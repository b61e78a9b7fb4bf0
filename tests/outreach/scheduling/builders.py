"""The smallest valid values for planning tests; a test states what it cares about."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from outreach.scheduling import Account, Campaign, Delay, Schedule, Sender, Slot, State, Step, Via, Waiting

PARIS = ZoneInfo("Europe/Paris")
SANTIAGO = ZoneInfo("America/Santiago")
ALL_DAY = [[(0, 24 * 60)]] * 7


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def make_step(
    number: int = 1, variants=(("a", 1),), *, via: Via = Via.MAIL, condition: str = "", **delay: int
) -> Step:
    return Step(number, Delay(**delay), variants, via, condition)


def make_campaign(**given) -> Campaign:
    defaults = {
        "id": 1,
        "seed": b"seed",
        "schedule": Schedule(ZoneInfo("UTC"), ALL_DAY),
        "steps": [make_step()],
        "mailbox_ids": [7],
    }
    return Campaign(**defaults | given)


def make_mailbox(id_: int = 7, **given) -> Sender:
    return Sender(id_, **{"via": Via.MAIL, "zone": ZoneInfo("UTC")} | given)


def make_profile(id_: int = 3, **given) -> Sender:
    return make_mailbox(id_, via=Via.LINKEDIN, **given)


def make_waiting(enrolment_id: int, due: datetime, **given) -> Waiting:
    return Waiting(**{"enrolment_id": enrolment_id, "campaign_id": 1, "step_number": 1, "due": due} | given)


def make_state(waiting, *, mailboxes=None, account=None, **campaign) -> State:
    senders = mailboxes or [make_mailbox()]
    return State([make_campaign(**campaign)], senders, waiting, account or Account())


def brief(slots: list[Slot]) -> list[tuple[int, int, str]]:
    """Enrolment, step and UTC time of each slot, short enough to read in an assertion."""
    return [(slot.enrolment_id, slot.step_number, f"{slot.at:%m-%d %H:%M}") for slot in slots]
