"""The addresses of LinkedIn profiles, in the one spelling that contacts have."""

from __future__ import annotations

from crm.importing.values import clean_linkedin
from pipelime.errors import Invalid


def normal(url: str, *, field: str = "profile_url") -> str:
    """https://www.linkedin.com/in/name, however it was written; Invalid for what is no profile."""
    try:
        return clean_linkedin(url)
    except (TypeError, ValueError) as error:
        raise Invalid(f"{field}: {error}", field=field) from None


def slug(url: str) -> str:
    """What LinkedIn and its providers call the person: the last part of a profile's normal address."""
    return url.rpartition("/in/")[2]


def normal_or_nothing(url: str) -> str:
    """The same for what others send us: nothing where it is no profile."""
    try:
        return normal(url)
    except Invalid:
        return ""
