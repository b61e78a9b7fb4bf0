"""Who is a connection of a LinkedIn account, as far as we know: only they can be written to."""

from __future__ import annotations

from django.db.models import Q

from outreach.linkedin.sending import send
from outreach.models import Enrolment, Incoming, LinkedInAccount, Message
from pipelime.errors import Invalid


def is_connected(account: LinkedInAccount, profile: str) -> bool:
    """Somebody who has accepted its invitation, or has ever written to it."""
    known = Enrolment.objects.filter(contact__linkedin_url=profile, connected_at__isnull=False)
    invited_by_it = Q(linkedin_account=account) | Q(
        linkedin_account=None, campaign__linkedin_accounts=account
    )
    if known.filter(invited_by_it).exists():
        return True
    return Incoming.objects.filter(linkedin_account=account, from_address=profile).exists()


def write_to_connection(
    account: LinkedInAccount, profile: str, text: str, *, by, enrolment: Enrolment | None = None
) -> Message:
    """A message outside a sequence. Raises Invalid when the recipient is no connection."""
    if not is_connected(account, profile):
        raise Invalid(
            f"{profile} is not a 1st-degree connection of {account}; invite them first", field="recipient"
        )
    return send(account, to_profile=profile, text=text, by=by, enrolment=enrolment)
