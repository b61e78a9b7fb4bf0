"""Who wrote a letter: a user of the account, or somebody whom the lead is linked to."""

from __future__ import annotations

import re

from crm.addresses import holder
from crm.contacts import create_contact
from crm.importing.values import clean_email, email_key, split_full_name
from crm.models import Contact
from crm.receiving.letters import Letter
from pipelime.accounts.models import Account, User
from pipelime.errors import Conflict

# Programs that write for others: nobody is reached at their addresses.
ROBOT = re.compile(
    r"(?:no|do[._-]?not|ne[._-]?pas)[._-]?(?:reply|repondre)|mailer-daemon|postmaster|notifications?|bounces?",
    re.IGNORECASE,
)
LONGEST_NAME = 100


def user_of(letter: Letter) -> User | None:
    """The active user of the account in scope who says to have written it."""
    return (
        User.objects.active().filter(email=User.normalise(letter.sender)).first() if letter.sender else None
    )


def contact_of(account: Account, letter: Letter) -> Contact | None:
    """Whoever an answer would go to, found or made; neither a program nor a user of the account."""
    for written in (*letter.reply_to[:1], letter.sender):
        try:
            address = clean_email(written)
        except ValueError:
            continue
        if not ROBOT.fullmatch(address.partition("@")[0]) and not is_user(address):
            return holder([email_key(address)]) or made(account, address, letter)
    return None


def is_user(address: str) -> bool:
    return User.objects.filter(email=User.normalise(address)).exists()


def made(account: Account, address: str, letter: Letter) -> Contact | None:
    name = letter.sender_name if address == letter.sender and "@" not in letter.sender_name else ""
    first, last = split_full_name(name[:LONGEST_NAME])
    try:
        return create_contact(account, by=None, email=address, first_name=first, last_name=last)
    except Conflict:  # somebody else made the same contact at this moment
        return holder([email_key(address)])
