"""What an account's plan includes. One table; verbs ask it, and each dialect refuses in its own words."""

from __future__ import annotations

from enum import StrEnum

from pipelime.accounts.models import Account
from pipelime.errors import NotIncluded

Plan = Account.Plan


class Feature(StrEnum):
    CUSTOM_MEANINGS = "fields of the types custom1 to custom5"
    KEY_FIELD_SEARCH = "finding leads by a key field"
    ADVANCED_EVENTS = "webhooks for advanced events"
    TEMPLATE_MAIL = "mail from templates"


INCLUDED_FROM = {
    Feature.CUSTOM_MEANINGS: Plan.PROFESSIONAL,
    Feature.KEY_FIELD_SEARCH: Plan.PROFESSIONAL,
    Feature.ADVANCED_EVENTS: Plan.PROFESSIONAL,
    Feature.TEMPLATE_MAIL: Plan.ENTERPRISE,
}
ORDER = [Plan.STARTER, Plan.PROFESSIONAL, Plan.ENTERPRISE]


def includes(account: Account, feature: Feature) -> bool:
    return ORDER.index(Plan(account.plan)) >= ORDER.index(INCLUDED_FROM[feature])


def require(account: Account, feature: Feature) -> None:
    """Raises NotIncluded, which names the plan that would do."""
    if not includes(account, feature):
        needed, own = INCLUDED_FROM[feature].label, Plan(account.plan).label
        raise NotIncluded(f"{feature[0].upper()}{feature[1:]} need the plan {needed}; this account has {own}")
