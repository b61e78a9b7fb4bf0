"""Calls to prospects, and which prospects were called under a number however it is written."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet

from crm.activities import add
from crm.importing.values import clean_phone, phone_key
from crm.models import Activity, ActivityType, Prospect
from crm.ordering import BY_POSITION
from crm.prospecting import lock
from pipelime.errors import Invalid

TAIL = 7  # so many last digits tell two numbers apart
MOST_DIGITS = 32


@transaction.atomic
def record_call(prospect: Prospect, *, by, phone: str, note: str = "", outcome: str = "") -> Activity:
    """An activity of the account's first type of calls, done just now."""
    lock(prospect)
    phone = check_phone(phone)
    digits = phone_key(phone)
    return add(
        prospect, "prospect", by=by, type=first_call_type(), user=None, note=note, outcome=outcome,
        phone=phone, phone_digits=digits, phone_tail=digits[-TAIL:],
    )  # fmt: skip


def called_with(phone: str) -> QuerySet[Prospect]:
    """Prospects who were called under this number, with or without the prefix of a country."""
    digits = phone_key(phone)
    if not 0 < len(digits) <= MOST_DIGITS:
        return Prospect.objects.none()
    same = Q(phone_digits__in=[digits[-length:] for length in range(min(TAIL, len(digits)), len(digits) + 1)])
    if len(digits) >= TAIL:
        same |= Q(phone_digits__endswith=digits)
    calls = Activity.objects.filter(same, phone_tail=digits[-TAIL:], prospect__isnull=False)
    return Prospect.objects.alive().filter(pk__in=calls.values("prospect")).order_by("pk")


def check_phone(phone: str) -> str:
    if not isinstance(phone, str):
        raise Invalid("phone is a text such as +33 1 23 45 67 89", field="phone")
    try:
        phone = clean_phone(phone)
    except ValueError as error:
        raise Invalid(f"phone: {error}", field="phone") from None
    if not 0 < len(phone_key(phone)) <= MOST_DIGITS:
        raise Invalid(f"phone: {phone!r} is no number; write one such as +33 1 23 45 67 89", field="phone")
    return phone


def first_call_type() -> ActivityType:
    calls = ActivityType.objects.filter(kind=ActivityType.Kind.CALL, parent=None, is_disabled=False)
    found = calls.order_by(*BY_POSITION).first()
    if found is None:
        raise Invalid(
            "This account has no activity type of the kind call; create or enable one", field="type"
        )
    return found
