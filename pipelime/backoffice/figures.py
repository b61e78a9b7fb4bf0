"""The figures of the dashboard, computed once for the workspace and the API alike."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum

from crm.models import Contact, Lead, Step
from outreach.statistics import account_stats
from pipelime.accounts.models import Account, User

CENT = Decimal("0.01")


def dashboard(account: Account, user: User | None) -> dict[str, Any]:
    """Contacts, leads by step, campaigns by status, messages of today and the last 30 days.

    Leads are those that `user` may see; without a user, all of them.
    """
    by_step = leads_by_step(account, user)
    return {
        "contacts": Contact.objects.alive().count(),
        "leads": {"total": sum(step["count"] for step in by_step), "by_step": by_step},
        **account_stats(account),
    }


def leads_by_step(account: Account, user: User | None) -> list[dict[str, Any]]:
    """Every step in its order. Amounts in other currencies count as leads, but cannot be added up."""
    in_currency = Q(currency__in=["", account.currency])
    leads = Lead.objects.alive().visible_to(user).order_by().values_list("step_id")
    found = {
        step: (count, amount)
        for step, count, amount in leads.annotate(count=Count("pk"), amount=Sum("amount", filter=in_currency))
    }
    steps = Step.objects.order_by("pipeline__position", "pipeline_id", "position", "pk")
    return [
        {"pipeline": pipeline, "step": name, "count": count, "amount": (amount or Decimal(0)).quantize(CENT)}
        for pk, pipeline, name in steps.values_list("pk", "pipeline__name", "name")
        for count, amount in [found.get(pk, (0, None))]
    ]
