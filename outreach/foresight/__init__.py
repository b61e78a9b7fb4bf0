"""What will happen, why something does not, and what might: the engine's own plan, asked ahead of time."""

from outreach.foresight.codes import CODES, Reason
from outreach.foresight.plans import Foresight, LeftOut, Row, plan_of
from outreach.foresight.reasons import why_not
from outreach.foresight.simulation import Rates, Simulation, simulate

__all__ = [
    "CODES",
    "Foresight",
    "LeftOut",
    "Rates",
    "Reason",
    "Row",
    "Simulation",
    "plan_of",
    "simulate",
    "why_not",
]
