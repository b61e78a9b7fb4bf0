"""A new account, ready to work: its first person and key, a pipeline, activity types and lead fields."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from crm.fields import key_of, type_of
from crm.models import ActivityType, Field, Pipeline, Step
from pipelime.accounts.keys import create_key
from pipelime.accounts.models import Account, User
from pipelime.accounts.people import make_user
from pipelime.changing import checked
from pipelime.errors import Conflict
from pipelime.events.recording import record
from pipelime.scope import account_scope

PIPELINE = "Sales"
STEPS = ("Incoming", "In-touch", "Qualification", "Proposal", "Closing")
Kind, Meaning = ActivityType.Kind, Field.Meaning
ACTIVITY_TYPES = [
    ("Call", Kind.CALL, "phone", [("Answered", "green"), ("Unanswered", "red")]),
    ("E-mail", Kind.EMAIL, "envelope", []),
    ("Meeting", Kind.MEETING, "handshake-o", []),
]
FIELDS = {
    Field.Kind.LEAD: {
        "Firstname": Meaning.FIRST_NAME,
        "Lastname": Meaning.LAST_NAME,
        "Full name": Meaning.FULL_NAME,
        "Email": Meaning.EMAIL,
        "Phone": Meaning.PHONE,
        "Mobile": Meaning.MOBILE,
        "Address": Meaning.ADDRESS,
        "Web": Meaning.WEB,
        "Job": Meaning.JOB,
    },
    Field.Kind.COMPANY: {"Address": Meaning.ADDRESS, "Billing address": ""},
}
FINDS_DUPLICATES = ("Email", "Phone", "Mobile")


class Opened(NamedTuple):
    account: Account
    user: User
    raw_key: str


@transaction.atomic
def open_account(
    name: str, *, email: str, password: str, plan: str = "enterprise", time_zone: str = "UTC",
    currency: str = "EUR", locale: str = "en", postal_address: str = "",
) -> Opened:  # fmt: skip
    """The account, its administrator, and a key with every right, shown this once."""
    settings = {"plan": plan, "time_zone": time_zone, "currency": currency, "locale": locale}
    account = new_account(checked(Account, {"name": name, "postal_address": postal_address, **settings}))
    with account_scope(account):
        user = make_user(account, email=email, password=password, is_admin=True, locale=locale)
        furnish(account)
        record("account.created", account, by=user)
        _, raw_key = create_key(account, name="First key", scopes=["*"], by=user)
    return Opened(account, user, raw_key)


def new_account(values: dict) -> Account:
    """Under a slug made from the name; when that is taken, with something random behind it."""
    slug = slugify(values["name"])[:50].strip("-") or "account"
    for candidate in (slug, *(f"{slug}-{secrets.token_hex(3)}" for _ in range(3))):
        try:
            with transaction.atomic():
                return Account.objects.create(slug=candidate, **values)
        except IntegrityError:
            continue
    raise Conflict(f"No free short name was found for {values['name']!r}; try again")


def furnish(account: Account) -> None:
    """What every new account begins with. History begins after it: nobody did these things."""
    pipeline = Pipeline.objects.create(account=account, name=PIPELINE, is_default=True)
    Step.objects.bulk_create(
        Step(account=account, pipeline=pipeline, name=step, position=position)
        for position, step in enumerate(STEPS, start=1)
    )
    for name, kind, icon, outcomes in ACTIVITY_TYPES:
        parent = ActivityType.objects.create(account=account, name=name, kind=kind, icon=icon)
        ActivityType.objects.bulk_create(
            ActivityType(account=account, parent=parent, name=outcome, kind=kind, icon=icon, color=color)
            for outcome, color in outcomes
        )
    Field.objects.bulk_create(
        Field(
            account=account, kind=kind, name=name, key=key_of(name), position=position,
            meaning=meaning, type=type_of(meaning),
            is_key=kind == Field.Kind.LEAD and name in FINDS_DUPLICATES,
        )
        for kind, fields in FIELDS.items()
        for position, (name, meaning) in enumerate(fields.items(), start=1)
    )  # fmt: skip
