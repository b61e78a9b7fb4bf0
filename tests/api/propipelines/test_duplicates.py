"""Leads that look like another one."""

from __future__ import annotations

import pytest

from crm.leads import create_lead, delete_lead
from tests.factories import TeamMemberFactory, UserFactory


@pytest.fixture
def lead(furnished, user):
    """Makes leads of the administrator."""

    def make(title: str, email: str, **facts):
        description = f"Firstname: Natalia\nEmail: {email}"
        return create_lead(
            furnished, by=user, title=title, description=description, **{"owner": user, **facts}
        )

    return make


def found(client, lead):
    return client.get(f"/api/v2/leads/{lead.pk}/duplicates")


def test_a_duplicate_is_told_with_what_matches(program, lead):
    first = lead("Loretta Inc.", "natalia@loretta.example")
    titled = lead("LORETTA inc.", "john@company.example")
    both = lead("Loretta Inc.", "Natalia@Loretta.example")
    lead("Acme", "john@company.example")

    answer = found(program, first)

    assert answer["X-TOTAL-COUNT"] == "2"
    assert [each["matches"] for each in answer.json()] == [
        [["title", "LORETTA inc."]],
        [["title", "Loretta Inc."], ["email", "Natalia@Loretta.example"]],
    ]
    whole = [program.get(f"/api/v2/leads/{each.pk}").json() for each in (titled, both)]
    assert [each["lead"] for each in answer.json()] == whole


def test_leads_that_are_gone_or_out_of_sight_match_nothing(program, logged_in, furnished, lead, seller, user):
    mine = lead("Acme", "a@b.example", owner=seller)
    lead("Acme", "a@b.example")
    delete_lead(lead("Acme", "a@b.example"), by=user)
    furnished.lead_visibility = "own"
    furnished.save()

    assert len(found(program, mine).json()) == 1
    assert found(logged_in(seller), mine).json() == []


def test_a_lead_out_of_sight_has_no_duplicates(logged_in, furnished, lead, seller):
    furnished.lead_visibility = "own"
    furnished.save()

    assert found(logged_in(seller), lead("Acme", "a@b.example")).status_code == 404


@pytest.mark.parametrize("visibility", ["everyone", "team", "own"])
def test_more_duplicates_of_more_owners_cost_no_more(program, furnished, lead, queries, visibility):
    furnished.lead_visibility = visibility
    furnished.save()

    def another() -> None:
        owner = TeamMemberFactory(account=furnished).user
        lead("Acme", "a@b.example", owner=owner)

    first = lead("Acme", "a@b.example")
    another()
    few = queries(f"/api/v2/leads/{first.pk}/duplicates")
    for _ in range(5):
        another()

    assert queries(f"/api/v2/leads/{first.pk}/duplicates") == few


def test_the_owner_of_each_is_told(program, furnished, lead):
    juliette = UserFactory(account=furnished)
    first = lead("Acme", "a@b.example")
    lead("Acme", "c@d.example", owner=juliette), lead("Acme", "e@f.example", owner=None)

    owners = [each["lead"]["user_id"] for each in found(program, first).json()]

    assert owners == [juliette.pk, None]
