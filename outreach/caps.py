"""Daily allowances as counter rows: raised in the transaction that claims, lowered when a claim returns.

Counters are locked in one order: of the sender, of campaigns by id, of the account, of domains by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from django.db import connection
from django.db.models import F, Q

from crm.importing.values import email_key
from outreach.models import Campaign, CapCounter, EmailAccount, LinkedInAccount, Message
from outreach.scheduling import Ramp
from pipelime.accounts.models import Account

SCOPES = {Campaign: "campaign", EmailAccount: "mailbox", LinkedInAccount: "linkedin", Account: "account"}
RANKS = ("mailbox", "linkedin", "campaign", "account", "domain")

# What a person writes in a conversation, and what they send to themselves as a test, uses no allowance.
UNCOUNTED = Q(conversation__isnull=False) | Q(frozen__isnull=False, lead=None)


def scope_of(owner: Campaign | EmailAccount | LinkedInAccount | Account) -> str:
    return f"{SCOPES[type(owner)]}:{owner.pk}"


def scope_of_domain(account_id: int, domain: str) -> str:
    return f"domain:{account_id}:{domain}"


def domain_of(address: str) -> str:
    """As the caps know it: in small letters, and as the DNS has it."""
    return email_key(address).rpartition("@")[2]


def of_account(account: Account) -> tuple[int | None, int | None]:
    """Mails a day of the whole account, and to one domain of recipients; None is no cap."""
    return account.settings.get("mails_a_day"), account.settings.get("mails_per_domain_a_day")


def ramp_of(mailbox: EmailAccount) -> Ramp | None:
    if mailbox.ramp_up_from is None:
        return None
    return Ramp(mailbox.ramp_up_on or mailbox.created_at.date(), mailbox.ramp_up_from, mailbox.ramp_up_by)


def cap_on(mailbox: EmailAccount, day: date) -> int:
    """What the mailbox may send on this day: its daily limit, or less while it is new."""
    ramp = ramp_of(mailbox)
    return mailbox.daily_limit if ramp is None else min(mailbox.daily_limit, ramp.cap_on(day.toordinal()))


def left(scope: str, day: date, cap: int) -> int:
    """What the cap still allows; the counter stays locked until the commit, so that `use` may follow."""
    return max(0, cap - used_of_each([scope], day)[scope])


def used_of_each(scopes: Iterable[str], day: date) -> dict[str, int]:
    """The counters of these scopes, in the order given, locked until the commit."""
    scopes = list(scopes)
    missing = [CapCounter(scope=scope, day=day) for scope in scopes]
    CapCounter.objects.bulk_create(missing, ignore_conflicts=True)
    rows = CapCounter.objects.filter(scope__in=scopes, day=day).order_by("scope")
    if connection.vendor == "postgresql":
        rows = rows.select_for_update()
    return dict(rows.values_list("scope", "used"))


def use(scope: str, day: date, count: int) -> None:
    if count:
        CapCounter.objects.filter(scope=scope, day=day).update(used=F("used") + count)


def give_back(messages: Iterable[Message]) -> None:
    """Lower the counters that these messages had raised: they will not be sent under this claim."""
    taken = Counter(key for message in messages for key in raised_by(message))
    for (_, _, scope, day), count in sorted(taken.items()):
        CapCounter.objects.filter(scope=scope, day=day, used__gte=count).update(used=F("used") - count)


def raised_by(message: Message) -> list[tuple[int, int, str, date]]:
    """(rank, id, scope, day) of each counter: sorted, they are in the order in which a claim locks them."""
    days = [
        ("mailbox", message.mailbox_id, message.mailbox_day),
        ("linkedin", message.linkedin_account_id, message.mailbox_day),
        ("campaign", message.campaign_id, message.campaign_day),
        ("account", message.account_id, message.account_day),
    ]
    raised = [(RANKS.index(kind), pk, f"{kind}:{pk}", day) for kind, pk, day in days if pk and day]
    if message.account_day:
        scope = scope_of_domain(message.account_id, domain_of(message.to_address))
        raised.append((RANKS.index("domain"), 0, scope, message.account_day))
    return raised


def used_by_day(scopes: list[str], since: date) -> dict[str, Counter[date]]:
    found: dict[str, Counter[date]] = {scope: Counter() for scope in scopes}
    for counter in CapCounter.objects.filter(scope__in=scopes, day__gte=since):
        found[counter.scope][counter.day] = counter.used
    return found


def used_by_domain(account_id: int, since: date) -> dict[str, Counter[date]]:
    """Of the domains that were written to since that day."""
    found: dict[str, Counter[date]] = {}
    prefix = scope_of_domain(account_id, "")
    for scope, day, used in CapCounter.objects.filter(scope__startswith=prefix, day__gte=since).values_list(
        "scope", "day", "used"
    ):
        found.setdefault(scope.removeprefix(prefix), Counter())[day] = used
    return found
