"""Trying a mailbox out: logging in to its servers now, and reporting their own words."""

from __future__ import annotations

import imaplib
from typing import Any

from outreach.connections import imap_connection, log_in, open_smtp, within
from outreach.models import EmailAccount
from outreach.smtp import Connect
from outreach.smtp_results import DialogueError
from pipelime import outbound

SECONDS = 8.0  # for all servers together: somebody is waiting in the browser
REPLY_SECONDS = 5.0


def test_mailbox(mailbox: EmailAccount) -> dict[str, Any]:
    """{"ok", "smtp": {"ok", "detail"}, "imap": the same or None}. A dead OAuth grant shows in both."""
    with within(SECONDS) as connect:
        smtp = test_smtp(mailbox, connect)
        imap = test_imap(mailbox, connect) if mailbox.imap_host else None
    return {"ok": smtp["ok"] and (imap is None or imap["ok"]), "smtp": smtp, "imap": imap}


def test_smtp(mailbox: EmailAccount, connect: Connect) -> dict[str, Any]:
    try:
        with open_smtp(mailbox, connect=connect, timeout=REPLY_SECONDS) as dialogue:
            return {"ok": True, "detail": dialogue.login_reply or dialogue.greeting}
    except DialogueError as error:
        return {"ok": False, "detail": str(error)}


def test_imap(mailbox: EmailAccount, connect: Connect) -> dict[str, Any]:
    try:
        with imap_connection(mailbox, connect) as server:
            return {"ok": True, "detail": log_in(server, mailbox)}
    except (DialogueError, imaplib.IMAP4.error, OSError, outbound.OutboundError) as error:
        return {"ok": False, "detail": str(error)}
