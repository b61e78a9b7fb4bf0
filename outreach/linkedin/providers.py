"""The services that work LinkedIn for an account."""

from __future__ import annotations

from outreach.linkedin.port import Provider
from outreach.linkedin.unipile import Unipile
from outreach.models import LinkedInAccount

PROVIDERS: dict[str, Provider] = {LinkedInAccount.Provider.UNIPILE: Unipile()}


def provider_of(account: LinkedInAccount) -> Provider:
    """LookupError for an account whose steps people do by hand."""
    return PROVIDERS[account.provider]
