"""How many people see a lead; `LeadQuerySet.visible_to` asked the other way round."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, Q, QuerySet

from crm.models import Lead
from pipelime.accounts.models import Account, TeamMember, User

ADMINS = Q(is_admin=True)


def seers_of(lead: Lead) -> int:
    return seers_by_owner([lead])[lead.owner_id]


def seers_by_owner(leads: Sequence[Lead]) -> dict[int | None, int]:
    """{owner's id, None for nobody: how many people see this owner's leads}, for leads of one account.
    Who sees a lead follows from its owner alone."""
    if not leads:
        return {}
    account = Account.objects.filter(pk=leads[0].account_id)
    people = User.objects.active().filter(account__in=account)
    counts = people.aggregate(
        everyone=Count("pk"),
        admins=Count("pk", filter=ADMINS),
        unassigned=Count("pk", filter=ADMINS | Q(sees_unassigned=True)),
    )
    found: dict[int | None, int] = {None: counts["unassigned"]}
    owners = {lead.owner_id for lead in leads if lead.owner_id is not None}
    visibility = account.values_list("lead_visibility", flat=True).get()
    if visibility == Account.Visibility.EVERYONE:
        return found | dict.fromkeys(owners, counts["everyone"])
    near = mates_of(owners) if visibility == Account.Visibility.TEAM else {owner: {owner} for owner in owners}
    others = without_admins(people, set().union(*near.values()))
    return found | {owner: counts["admins"] + len(near[owner] & others) for owner in owners}


def mates_of(owners: set[int]) -> dict[int, set[int]]:
    """{person: this person and everybody in a team of theirs}, by ids."""
    found = {owner: {owner} for owner in owners}
    shared = TeamMember.objects.filter(user__in=owners)
    for owner, mate in shared.values_list("user_id", "team__members__user_id"):
        found[owner].add(mate)
    return found


def without_admins(people: QuerySet[User], ids: set[int]) -> set[int]:
    return set(people.exclude(ADMINS).filter(pk__in=ids).values_list("pk", flat=True))
