"""The first page: the figures, what has happened lately, and what to do next."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from crm.models import Contact, Lead
from outreach.models import Campaign, EmailAccount, Message
from outreach.statistics import campaign_counts
from pipelime.accounts.models import Account
from pipelime.backoffice.admin import is_admin
from pipelime.backoffice.figures import dashboard
from pipelime.backoffice.visibility import told_to
from pipelime.events.feed import sentence
from pipelime.events.models import Event

ACTIVITY_READ, ACTIVITY_SHOWN = 200, 12
ROUTINE = ("enrolment.status_changed", "message.sent")  # of a running campaign, which says it in figures
CAMPAIGNS_SHOWN = 5
TODAY = ("sent", "replied", "bounced", "ambiguous")


def context(request: HttpRequest, frame: dict[str, Any]) -> dict[str, Any]:
    account = request.account
    figures = dashboard(account, request.user if request.user.account_id else None)
    return frame | {
        "title": "Overview",
        "figures": figures,
        "pipelines": pipelines(figures["leads"]["by_step"]),
        "periods": periods(figures["messages"]),
        "campaigns": running(),
        "activity": [(event, sentence(event)) for event in lately(request)],
        "next_steps": next_steps(request, account, figures),
        "ambiguous": Message.objects.filter(state=Message.State.AMBIGUOUS)[:100].count(),
    }


def lately(request: HttpRequest) -> list[Event]:
    """What people would tell each other; where there is nothing of the kind, whatever happened."""
    recent = list(told_to(request.user, Event.objects.order_by("-pk"))[:ACTIVITY_READ])
    telling = [event for event in recent if event.name not in ROUTINE]
    return (telling or recent)[:ACTIVITY_SHOWN]


def pipelines(by_step: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Steps with the width of their bar, in percent of the fullest step."""
    most = max((step["count"] for step in by_step), default=0) or 1
    return [
        {"name": name, "steps": [step | {"width": round(100 * step["count"] / most)} for step in steps]}
        for name, steps in groupby(by_step, key=lambda step: step["pipeline"])
    ]


def periods(messages: dict[str, dict[str, Any]]) -> list[tuple[str, int, int]]:
    """(what, today, in 30 days)."""
    return [(name, messages["today"][name], messages["last_30_days"][name]) for name in TODAY]


def running() -> list[dict[str, Any]]:
    campaigns = list(Campaign.objects.alive().exclude(status="DRAFT").order_by("-pk")[:CAMPAIGNS_SHOWN])
    counts = campaign_counts(campaigns)
    return [{"campaign": campaign} | share(counts[campaign.pk]) for campaign in campaigns]


def share(counts: dict[str, int]) -> dict[str, int]:
    through = counts["finished"] + counts["stopped"]
    return {
        "contacts": counts["contacts"],
        "sent": counts["messages_sent"],
        "width": round(100 * through / counts["contacts"]) if counts["contacts"] else 0,
    }


def next_steps(request: HttpRequest, account: Account, figures: dict[str, Any]) -> list[dict[str, Any]]:
    """What a new account does first; once all of it is done the list is gone."""
    admin = is_admin(request)
    steps = [
        ("Bring in your contacts", "A CSV or Excel file, checked before anything is written.",
         "crm_importjob_add", Contact.objects.alive().exists(), True),
        ("Say where you are", "The law wants a postal address in every campaign mail.",
         "accounts_account_changelist", bool(account.postal_address.strip()), admin),
        ("Connect a mailbox", "Campaigns send from your own address, over your own server.",
         "outreach_emailaccount_add", EmailAccount.objects.alive().exists(), admin),
        ("Write a campaign", "A few mails, the pauses between them, and the hours that suit.",
         "outreach_campaign_add", any(figures["campaigns"].values()), True),
        ("Open your first lead", "What might be sold, to whom, and how far it is.",
         "crm_lead_add", Lead.objects.alive().exists(), True),
    ]  # fmt: skip
    if all(done for *_, done, _ in steps):
        return []
    return [
        {"title": title, "text": text, "link": reverse(f"admin:{page}"), "done": done}
        for title, text, page, done, may in steps
        if may
    ]
