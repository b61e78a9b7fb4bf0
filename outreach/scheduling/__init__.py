"""Who gets which step when: a pure function over plain values, without database, clock or chance."""

from outreach.scheduling.planning import Plan, plan
from outreach.scheduling.schedule import Schedule
from outreach.scheduling.sequence import HORIZON, Delay, Step, Via, pause_after
from outreach.scheduling.state import (
    Account,
    Campaign,
    Hold,
    LeftOver,
    Passed,
    PutOff,
    Ramp,
    Sender,
    Slot,
    State,
    Waiting,
)  # fmt: skip

__all__ = [
    "HORIZON",
    "Account",
    "Campaign",
    "Delay",
    "Hold",
    "LeftOver",
    "Passed",
    "Plan",
    "PutOff",
    "Ramp",
    "Schedule",
    "Sender",
    "Slot",
    "State",
    "Step",
    "Via",
    "Waiting",
    "pause_after",
    "plan",
]
