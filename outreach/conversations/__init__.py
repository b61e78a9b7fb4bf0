"""The inbox: everything between a mailbox or LinkedIn account of ours and one person, and its answers.

Everybody of the account sees a conversation until it becomes a lead; then those who may see the lead, and
whoever it is assigned to. A conversation is locked after everything that a campaign moves.
"""

from outreach.conversations.answering import destination, reply
from outreach.conversations.filing import between, file, note_sent
from outreach.conversations.handling import assign, close, read, reopen, set_intent
from outreach.conversations.leads import make_lead
from outreach.conversations.telling import Entry, Mark, timeline

__all__ = [
    "Entry",
    "Mark",
    "assign",
    "between",
    "close",
    "destination",
    "file",
    "make_lead",
    "note_sent",
    "read",
    "reopen",
    "reply",
    "set_intent",
    "timeline",
]
