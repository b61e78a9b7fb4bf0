"""How many people see a lead."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crm.models import Lead
from crm.visibility import seers_by_owner, seers_of
from pipelime.accounts.models import Account
from tests.factories import LeadFactory, TeamMemberFactory, UserFactory


@pytest.mark.parametrize(
    ("visibility", "owned", "unassigned"),
    [("everyone", 5, 4), ("team", 3, 4), ("own", 2, 4)],
)
def test_who_sees_a_lead_is_counted_as_they_would_see_it(account, user, visibility, owned, unassigned):
    account.lead_visibility = Account.Visibility(visibility)
    account.save()
    owner, mate, other, blind = UserFactory.create_batch(4, account=account)
    disabled = UserFactory(account=account, disabled_at=datetime(2020, 1, 1, tzinfo=UTC))
    blind.sees_unassigned = False
    blind.save()
    UserFactory(is_admin=True)
    team = TeamMemberFactory(account=account, user=owner).team
    TeamMemberFactory(account=account, team=team, user=mate)
    TeamMemberFactory(account=account, team=team, user=disabled)
    leads = [LeadFactory(account=account, owner=whose) for whose in (owner, None)]

    assert [seers_of(lead) for lead in leads] == [owned, unassigned]
    for lead in leads:
        seers = [who for who in (user, owner, mate, other, blind) if lead in Lead.objects.visible_to(who)]
        assert len(seers) == seers_of(lead)


def test_no_leads_are_seen_by_nobody(account):
    assert seers_by_owner([]) == {}


@pytest.mark.parametrize(("visibility", "queries"), [("everyone", 2), ("team", 4), ("own", 3)])
def test_leads_of_many_owners_take_as_many_queries_as_one(
    account, django_assert_num_queries, visibility, queries
):
    account.lead_visibility = Account.Visibility(visibility)
    account.save()
    leads = [LeadFactory(account=account, owner=TeamMemberFactory(account=account).user) for _ in range(5)]

    for count in (1, 5):
        with django_assert_num_queries(queries):
            assert len(seers_by_owner(leads[:count])) == count + 1
