"""Looking for ambiguous messages in their mailbox's Sent folder. A copy there proves that it left.

That there is none proves nothing: not every server keeps copies of what it was handed over SMTP.
"""

from __future__ import annotations

import imaplib
from datetime import timedelta

from django.utils import timezone

from outreach.models import EmailAccount, Message
from outreach.settling import settle_by_evidence
from pipelime.imap import Folder, special_folder

YOUNGEST = timedelta(minutes=2)  # before, the answer may still be on its way, or the copy
OLDEST = timedelta(days=14)
MOST = 50  # look-ups in one visit


def resolve(mailbox: EmailAccount, server: imaplib.IMAP4) -> int:
    """How many were found. The server is logged in; another folder is selected afterwards."""
    now = timezone.now()
    doubtful = list(
        Message.objects.filter(
            mailbox=mailbox,
            state=Message.State.AMBIGUOUS,
            channel=Message.Channel.EMAIL,
            due_at__range=(now - OLDEST, now - YOUNGEST),
        ).order_by("-id")[:MOST]
    )
    if not doubtful or not (name := special_folder(server, r"\Sent")):
        return 0
    sent = Folder(server, name)
    found = [message for message in doubtful if sent.with_header("Message-ID", message.message_id)]
    return sum(settle_by_evidence(message, evidence=f"its copy is in the folder {name}") for message in found)
