"""The rows of outreach, one module a subject."""

from outreach.models.blocklist import BlocklistEntry, Suppression
from outreach.models.campaign import Campaign, SequenceStep
from outreach.models.caps import CapCounter
from outreach.models.enrolment import Enrolment
from outreach.models.mailbox import EmailAccount
from outreach.models.message import Message
from outreach.models.template import EmailTemplate

__all__ = [
    "BlocklistEntry",
    "Campaign",
    "CapCounter",
    "EmailAccount",
    "EmailTemplate",
    "Enrolment",
    "Message",
    "SequenceStep",
    "Suppression",
]
