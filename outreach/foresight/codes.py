"""Why a contact gets nothing now: every code that there is, the most decisive first."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from outreach.scheduling import Hold

CODES = {
    "contact_deleted": "The contact was deleted.",
    "unsubscribed": "They have unsubscribed; nobody of this account may mail them again.",
    "bounced": "Their address does not exist, or refused a mail for good.",
    "complained": "They called a mail of this account spam.",
    "blocked": "Their address or its domain is on the blocklist.",
    "not_in_campaign": "The contact is not in this campaign.",
    "replied": "They have replied, and the campaign stops then.",
    "stopped": "Their way through the campaign was ended; the detail says why.",
    "finished": "They have had every step of the campaign.",
    "account_suspended": "The account is suspended.",
    "sending_held": "The installation holds all sending until an operator confirms.",
    "campaign_draft": "The campaign has not been started.",
    "campaign_paused": "The campaign pauses.",
    "campaign_finished": "The campaign is finished.",
    "campaign_ended": "The campaign has no open hour left before its last day ends.",
    "contact_paused": "Somebody paused this contact in the campaign.",
    "held": "Something must be mended first, such as a value that the words need; the detail names it.",
    "to_settle": "Nobody knows whether the last message arrived; somebody has to decide.",
    "todo_open": "A step waits for a person to do it.",
    "in_flight": "A message is on its way: planned for the next minutes, or being sent.",
    "out_of_office": "They are away; the campaign waits for their return.",
    "no_step": "The step that they wait for is no longer part of the campaign.",
    "no_mailbox": "No mailbox of the campaign can send to them.",
    "mailbox_paused": "The mailbox that writes to them is paused; the detail says why.",
    "no_linkedin_account": "No LinkedIn account of the campaign can do the step.",
    "linkedin_paused": "The LinkedIn account that would do the step is paused; the detail says why.",
    "no_address": "The step is an e-mail, and the contact has no address.",
    "condition": "The step is only for whoever has replied, connected or clicked; they have not, so far.",
    "not_due": "The step's delay is not over.",
    "holiday": "It is a public holiday.",
    "outside_window": "It is outside the campaign's hours.",
    "campaign_cap": "The campaign has sent its mails of the day.",
    "account_cap": "The account has sent its mails of the day.",
    "domain_cap": "The account has sent its mails of the day to this domain.",
    "mailbox_cap": "The mailboxes that may write to them have sent their mails of the day.",
    "linkedin_cap": "The LinkedIn accounts have done their steps of the day.",
    "mailbox_gap": "The mailbox has to wait between two mails.",
    "planned": "Nothing holds them: `until` is the minute.",
}
_RANK = {code: rank for rank, code in enumerate(CODES)}


class Reason(NamedTuple):
    """`until` is when it lapses, as far as that is known."""

    code: str
    detail: str
    until: datetime | None = None

    @property
    def rank(self) -> int:
        return _RANK[self.code]


def code_of(hold: Hold) -> str:
    return "campaign_ended" if hold is Hold.ENDED else hold.value
