"""What the engine says of somebody whom it leaves waiting, in words for people."""

from __future__ import annotations

from collections.abc import Iterable

from outreach.foresight.codes import CODES, Reason, code_of
from outreach.models import Campaign, EmailAccount, LinkedInAccount
from outreach.scheduling import Hold, LeftOver, Waiting

Senders = Iterable[EmailAccount] | Iterable[LinkedInAccount]


def reason_of(left: LeftOver, campaign: Campaign, waiting: Waiting) -> Reason:
    if left.code is Hold.NO_MAILBOX:
        return no_sender("mailbox", campaign.mailboxes.all(), waiting.mailbox_id)
    if left.code is Hold.NO_LINKEDIN_ACCOUNT:
        return no_sender("linkedin", campaign.linkedin_accounts.all(), waiting.linkedin_id)
    code = code_of(left.code)
    return Reason(code, detail(left.code, campaign, waiting) or CODES[code], left.until)


def no_sender(kind: str, senders: Senders, wanted: int | None) -> Reason:
    """Whoever wrote first goes on writing; a pause of theirs is waited for."""
    resting = [one for one in able(senders, wanted) if one.paused_at]
    if resting:
        return Reason(f"{kind}_paused", "; ".join(paused(one) for one in resting))
    code = "no_mailbox" if kind == "mailbox" else "no_linkedin_account"
    return Reason(code, CODES[code])


def able(senders: Senders, wanted: int | None) -> list[EmailAccount | LinkedInAccount]:
    """All of the campaign's, or the one that has begun with this contact."""
    return [one for one in senders if one.deleted_at is None and wanted in (None, one.pk)]


def paused(sender: EmailAccount | LinkedInAccount) -> str:
    return f"{sender} is paused: {sender.pause_reason}" if sender.pause_reason else f"{sender} is paused"


def detail(hold: Hold, campaign: Campaign, waiting: Waiting) -> str:
    """More than the code says by itself; "" where there is no more."""
    boxes = named(campaign.mailboxes.all(), waiting.mailbox_id)
    profiles = named(campaign.linkedin_accounts.all(), waiting.linkedin_id)
    return {
        Hold.HOLIDAY: f"it is a public holiday ({campaign.holidays})",
        Hold.CAMPAIGN_CAP: f"its {campaign.daily_limit} mails of the day are sent, or others come first",
        Hold.DOMAIN_CAP: f"the account has sent its mails of the day to {waiting.domain}",
        Hold.MAILBOX_CAP: f"the mails of the day are sent, or others come first: {boxes}",
        Hold.MAILBOX_GAP: f"has to wait between two mails: {boxes}",
        Hold.LINKEDIN_CAP: f"the steps of the day are done, or others come first: {profiles}",
    }.get(hold, "")


def named(senders: Senders, wanted: int | None) -> str:
    return ", ".join(str(one) for one in able(senders, wanted))
