"""Who gets which step when: a pure function over plain values, without database, clock or chance."""

from outreach.scheduling.planning import Plan, plan
from outreach.scheduling.schedule import Schedule
from outreach.scheduling.sequence import Delay, Step
from outreach.scheduling.state import Campaign, Hold, LeftOver, Mailbox, Slot, State, Waiting

__all__ = [
    "Campaign",
    "Delay",
    "Hold",
    "LeftOver",
    "Mailbox",
    "Plan",
    "Schedule",
    "Slot",
    "State",
    "Step",
    "Waiting",
    "plan",
]
