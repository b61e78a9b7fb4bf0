"""Campaigns made of others: copies, templates, and what is made of a template."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from uuid import UUID

from django.db import transaction

from outreach.campaign_facts import facts
from outreach.campaigns import create_campaign
from outreach.models import Campaign
from outreach.starters import STARTERS, Starter
from pipelime.accounts.models import Account
from pipelime.errors import NotFound


@transaction.atomic
def clone(campaign: Campaign, *, by, name: str) -> Campaign:
    """A new draft with the same steps, schedule, senders and settings, and nobody in it."""
    return create_campaign(campaign.account, by=by, name=name, **facts(campaign))


@transaction.atomic
def save_as_template(campaign: Campaign, *, by, name: str) -> Campaign:
    """The same without its days: what is made of a template begins when it is wanted."""
    kept = facts(campaign)
    kept["schedule"] |= {"starts_on": None, "ends_on": None}
    return create_campaign(campaign.account, by=by, name=name, is_template=True, **kept)


@transaction.atomic
def create_from(template: Campaign | Starter, account: Account, *, by, **given: Any) -> Campaign:
    """A campaign after a template. What is given counts; schedule and settings are laid over its own."""
    base = deepcopy(template.facts) if isinstance(template, Starter) else facts(template)
    for name in ("schedule", "settings"):
        if name in given:
            given[name] = base.get(name, {}) | (given[name] or {})
    return create_campaign(account, by=by, **({"name": template.name} | base | given))


def template_named(key: str) -> Campaign | Starter:
    """An own template by its id, or a starter by its key."""
    if found := STARTERS.get(key):
        return found
    try:
        template = Campaign.objects.templates().filter(uid=UUID(key)).first()
    except ValueError:
        template = None
    if template is None:
        raise NotFound(f"There is no campaign template {key!r}; starters are {', '.join(STARTERS)}")
    return template
