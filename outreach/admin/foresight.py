"""Two pages of a campaign: its plan, and what came of it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from outreach.comparing import ENOUGH
from outreach.foresight import CODES, Foresight, plan_of
from outreach.foresight.subjects import Shown, shown
from outreach.models import Campaign, Enrolment, SequenceStep
from outreach.results import OfDay, Results, results_of
from outreach.windows import zone_named
from pipelime.backoffice.admin import WorkspaceAdmin

USUAL_DAYS, MOST_DAYS = 14, 90
ROWS_SHOWN = 200
LEFT_OUT_SHOWN = 100
DAYS_SHOWN = 60
BAR, GAP, HEIGHT = 12, 4, 120  # of the chart, in its own units


class ForesightPages(WorkspaceAdmin):
    """Mixed into the pages of campaigns."""

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/plan/", view(self.plan), name="outreach_campaign_plan"),
            path("<path:object_id>/stats/", view(self.stats), name="outreach_campaign_stats"),
            *super().get_urls(),
        ]

    def plan(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = self.row_or_404(request, object_id)
        now = moment(request.GET.get("now", "")) or timezone.now().replace(microsecond=0)
        today = now.astimezone(zone_named(campaign.time_zone)).date()
        until = chosen_day(request.GET.get("until", ""), today)
        end = datetime.combine(until + timedelta(days=1), time(), zone_named(campaign.time_zone))
        plan = plan_of(campaign, until=end.astimezone(UTC), now=now)
        start = start_of(request.GET.get("from", ""), len(plan.rows))
        context = {
            "campaign": campaign,
            "until": until,
            "today": today,
            "latest": today + timedelta(days=MOST_DAYS),
            "days": by_day(campaign, shown(campaign, plan.rows[start : start + ROWS_SHOWN])),
            "start": start + 1,
            "stop": min(start + ROWS_SHOWN, len(plan.rows)),
            "total": len(plan.rows),
            "contacts": len({row.enrolment_id for row in plan.rows}),
            "left_out": left_out(plan),
            "left_out_total": len(plan.left_out),
            "codes": [
                (code, CODES[code], count)
                for code, count in Counter(one.reason.code for one in plan.left_out).most_common()
            ],
            "earlier": link(until, now, start - ROWS_SHOWN) if start else "",
            "later": link(until, now, start + ROWS_SHOWN) if start + ROWS_SHOWN < len(plan.rows) else "",
            "back": self.address("change", campaign.pk),
            "stats_url": self.address("stats", campaign.pk),
        }
        return self.page(request, "backoffice/campaign_plan.html", f"Plan of {campaign.name}", **context)

    def stats(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = self.row_or_404(request, object_id)
        results = results_of(campaign)
        context = {
            "campaign": campaign,
            "results": results,
            "tables": tables(results),
            "chart": chart(results.days),
            "verdicts": [(step.step, step.verdict) for step in results.steps if step.verdict],
            "enough": ENOUGH,
            "tracks": campaign.track_opens or campaign.track_clicks,
            "back": self.address("change", campaign.pk),
            "plan_url": self.address("plan", campaign.pk),
        }
        return self.page(
            request, "backoffice/campaign_stats.html", f"Statistics of {campaign.name}", **context
        )


def moment(text: str) -> datetime | None:
    """When the plan was made that the other pages show."""
    try:
        found = datetime.fromisoformat(text).astimezone(UTC) if text else None
    except (ValueError, OverflowError):
        return None
    return found if found and abs(timezone.now() - found) < timedelta(days=1) else None


def chosen_day(text: str, today: date) -> date:
    """Something else than a day of the next three months is the usual one."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = today + timedelta(days=USUAL_DAYS)
    return min(max(day, today), today + timedelta(days=MOST_DAYS))


def start_of(text: str, total: int) -> int:
    start = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
    return start if start < total else 0


def link(until: date, now: datetime, start: int) -> str:
    return "?" + urlencode({"until": until.isoformat(), "now": now.isoformat(), "from": max(0, start)})


def by_day(campaign: Campaign, rows: list[Shown]) -> list[tuple[date, list[dict[str, Any]]]]:
    zone = zone_named(campaign.time_zone)
    labels = dict(SequenceStep.Channel.choices)
    local = [(one.row.at.astimezone(zone), one) for one in rows]
    return [
        (
            day,
            [{"clock": f"{at:%H:%M}", "one": one, "channel": labels.get(one.channel, "")} for at, one in own],
        )
        for day, own in groupby(local, key=lambda each: each[0].date())
    ]


def left_out(plan: Foresight) -> list[dict[str, Any]]:
    first = plan.left_out[:LEFT_OUT_SHOWN]
    places = Enrolment.objects.select_related("contact").in_bulk([one.enrolment_id for one in first])
    return [{"place": places[one.enrolment_id], "reason": one.reason} for one in first]


def tables(results: Results) -> list[tuple[str, str, list[tuple[str, Any]]]]:
    """(title, first column, rows of a name and figures)."""
    labels = dict(SequenceStep.Channel.choices)
    steps = [(f"{one.step} · {labels[one.channel]}", one.figures) for one in results.steps]
    variants = [(f"{one.step} {one.variant}", one.figures) for one in results.variants]
    senders = [(one.name or "By hand", one.figures) for one in results.senders]
    return [
        ("Steps", "Step", steps),
        ("Variants", "Step and variant", variants),
        ("Senders", "Sender", senders),
    ]


def chart(days: list[OfDay]) -> dict[str, Any]:
    """Two bars a day: what was sent, and before it, how many of that were answered."""
    shown_days = days[-DAYS_SHOWN:]
    most = max((one.figures.sent for one in shown_days), default=0)
    bars = [
        {
            "day": one.day,
            "figures": one.figures,
            "x": number * (BAR + GAP),
            "sent": scaled(one.figures.sent, most),
            "replied": scaled(one.figures.replied, most),
            "top": HEIGHT - scaled(one.figures.sent, most),
            "replied_top": HEIGHT - scaled(one.figures.replied, most),
        }
        for number, one in enumerate(shown_days)
    ]
    return {
        "bars": bars,
        "most": most,
        "width": max(1, len(bars)) * (BAR + GAP),
        "height": HEIGHT,
        "bar": BAR,
    }


def scaled(count: int, most: int) -> int:
    """Something is never shown as nothing."""
    return max(2, round(HEIGHT * count / most)) if count and most else 0
