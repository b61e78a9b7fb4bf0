"""The rows of outreach, one module a subject."""

from outreach.models.blocklist import BlocklistEntry, Suppression
from outreach.models.campaign import Campaign, SequenceStep
from outreach.models.caps import CapCounter
from outreach.models.conversation import Conversation
from outreach.models.domain import SendingDomain
from outreach.models.enrolment import Enrolment
from outreach.models.fence import Fence
from outreach.models.incoming import Incoming, MailFolder
from outreach.models.linkedin import LinkedInAccount
from outreach.models.mailbox import EmailAccount
from outreach.models.message import Message
from outreach.models.search import ContactSearch
from outreach.models.template import EmailTemplate
from outreach.models.tracking import TrackedLink, Visit

__all__ = [
    "BlocklistEntry",
    "Campaign",
    "CapCounter",
    "ContactSearch",
    "Conversation",
    "EmailAccount",
    "EmailTemplate",
    "Enrolment",
    "Fence",
    "Incoming",
    "LinkedInAccount",
    "MailFolder",
    "Message",
    "SendingDomain",
    "SequenceStep",
    "Suppression",
    "TrackedLink",
    "Visit",
]
