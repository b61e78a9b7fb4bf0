"""The values of a lead: each checked by itself, then what follows from them, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from django.utils import timezone

from crm import reminders
from crm.activities import check_type
from crm.fields import check_custom_fields
from crm.models import ActivityType, Lead
from crm.pipelines import check_step
from pipelime.accounts.models import Account
from pipelime.changing import check_belongs, check_person, check_zoned, checked, only_known
from pipelime.errors import Invalid

FACTS = (
    "title", "description", "probability", "currency", "starred", "estimated_closing_date", "created_at",
)  # fmt: skip
LINKS = ("step", "owner", "contact", "client_folder", "reminder_activity")
CHANGEABLE = (*FACTS, *reminders.FACTS, *LINKS, "status", "amount", "tags", "custom_fields")
# What nobody may change while a lead is nobody's.
OWNERS_ONLY = ("status", "step", "starred", "amount", "probability")
CLOCKS_DIFFER = timedelta(minutes=1)


def lead_values(account: Account, given: dict[str, Any]) -> dict[str, Any]:
    """The columns of a lead from what a caller gave, each checked by itself."""
    only_known("a lead", given, CHANGEABLE)
    given = {name: value for name, value in given.items() if value is not None or name not in NEVER_NULL}
    values = checked(Lead, {name: given[name] for name in FACTS if name in given})
    values |= reminders.read(given)
    if "status" in given:
        values["status"] = check_status(given["status"])
    check_moment(values.get("created_at"))
    if "currency" in values:
        values["currency"] = clean_currency(values["currency"], account)
    if "amount" in given:
        values["amount"] = clean_amount(given["amount"])
    if values.get("probability") is not None and values["probability"] > 100:
        raise Invalid(f"probability: {values['probability']} is over 100 percent", field="probability")
    for name in LINKS:
        if name in given:
            CHECKS[name](given[name], account.pk)
            values[name] = given[name]
    if "custom_fields" in given:
        values["custom_fields"] = check_custom_fields(account, "lead", given["custom_fields"])
    return values


def check_activity(kind: ActivityType | None, account_id: int) -> None:
    if kind is not None:
        check_type(kind, account_id, field="reminder_activity")


# None means "leave it" where a column cannot be empty.
NEVER_NULL = ("step", "status", "starred", "created_at")
CHECKS: dict[str, Callable[[Any, int], Any]] = {
    "step": check_step,
    "owner": lambda user, account_id: check_person(user, account_id, field="owner"),
    "contact": lambda contact, account_id: check_belongs(contact, account_id, field="contact"),
    "client_folder": lambda company, account_id: check_belongs(company, account_id, field="client_folder"),
    "reminder_activity": check_activity,
}


def check_status(status: Any) -> str:
    if status not in Lead.Status.values:
        known = ", ".join(Lead.Status.values)
        raise Invalid(f"status: {status!r} is not known; use {known}", field="status", rule="status_unknown")
    return str(Lead.Status(status))


def check_moment(moment: datetime | None) -> None:
    """A lead may be dated back, not ahead."""
    if moment is None:
        return
    check_zoned(moment, field="created_at")
    if moment > timezone.now() + CLOCKS_DIFFER:
        raise Invalid(
            f"created_at: {moment.isoformat()} is in the future; name the moment when the lead came in",
            field="created_at",
        )


def clean_currency(text: str, account: Account) -> str:
    code = text.upper() or account.currency
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise Invalid(f"currency: {text!r} is no code of three letters, such as EUR", field="currency")
    return code


def clean_amount(value: Any) -> Decimal | None:
    """In hundredths. A float is taken as it is written, not as it is stored."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        amount = Decimal(str(value).strip()).quantize(Decimal("0.01"), ROUND_HALF_UP)
    except InvalidOperation:
        raise Invalid(f"amount: {value!r} is no amount; write one such as 1250.50", field="amount") from None
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 12:
        raise Invalid(
            f"amount: {value!r} is too large; at most twelve digits before the point", field="amount"
        )
    return amount


def refuse_unassigned(lead: Lead, values: dict[str, Any]) -> None:
    if lead.owner_id is not None or values.get("owner") is not None:
        return
    for name in OWNERS_ONLY:
        if name in values and values[name] != getattr(lead, name):
            raise Invalid(
                f"{name} cannot change while the lead is nobody's; assign the lead to somebody first",
                field=name,
                rule="unassigned",
            )


def follow(lead: Lead, values: dict[str, Any], account: Account) -> None:
    """Add what follows from the new values, and refuse what does not fit together."""

    def after(name: str) -> Any:
        return values[name] if name in values else getattr(lead, name)

    if "status" in values and (values["status"] != lead.status or lead.pk is None):
        values["closed_at"] = timezone.now() if values["status"] in Lead.CLOSED else None
        if values["status"] != Lead.Status.STANDBY and values.get("remind_date") is None:
            values.update(reminders.NONE)
    if after("amount") is None and "probability" not in values:
        values["probability"] = None
    if after("amount") is None and after("probability") is not None:
        raise Invalid(
            "A probability cannot be set without an amount; set the amount, too",
            field="probability",
            rule="amount_missing",
        )
    reminders.follow(values, after, account.zone)
