"""How much may be done with a LinkedIn account in a day of its zone, by whomever."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from outreach import caps
from outreach.models import LinkedInAccount, Message
from outreach.windows import zone_of

COUNTED = (Message.Channel.LINKEDIN_INVITATION, Message.Channel.LINKEDIN_MESSAGE)


def day_of(account: LinkedInAccount, now: datetime) -> date:
    return now.astimezone(zone_of(account)).date()


def tomorrow(account: LinkedInAccount, now: datetime) -> datetime:
    after = day_of(account, now) + timedelta(days=1)
    return datetime.combine(after, time(), zone_of(account)).astimezone(UTC)


def take(account: LinkedInAccount, message_id: int, now: datetime) -> bool:
    """Count one message, if the day still has room. Part of the claim's transaction."""
    day, scope = day_of(account, now), caps.scope_of(account)
    if not caps.left(scope, day, account.daily_limit):
        return False
    caps.use(scope, day, 1)
    Message.objects.filter(pk=message_id).update(mailbox_day=day)
    return True


def note(message: Message, now: datetime) -> None:
    """What a person has done counts too; nobody stops them from doing more than the plan would."""
    account = message.linkedin_account
    if account is None or message.conversation_id or message.channel not in COUNTED:
        return
    day, scope = day_of(account, now), caps.scope_of(account)
    caps.left(scope, day, 0)
    caps.use(scope, day, 1)
    Message.objects.filter(pk=message.pk).update(mailbox_day=day)
