"""Campaigns: listed, read, paused and resumed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q
from rest_framework.response import Response

from outreach.campaigns import pause_campaign, start_campaign
from outreach.models import Campaign, Enrolment, Message, SequenceStep
from pipelime.api.moments import utc_text
from pipelime.api.sendpilot.ids import id_of, written
from pipelime.api.sendpilot.resources import SendPilotViewSet
from pipelime.errors import Invalid

Channel, Status = SequenceStep.Channel, Campaign.Status
# Lower case in queries, upper case in answers; "active" is another word for started.
FILTERS = {status.lower(): status for status in Status.values} | {"active": Status.STARTED}
SENT = Q(state=Message.State.SENT)
METRICS = {
    "connectionsSent": Count("pk", filter=SENT & Q(channel=Channel.LINKEDIN_INVITATION)),
    "messagesSent": Count("pk", filter=SENT & Q(channel__in=[Channel.EMAIL, Channel.LINKEDIN_MESSAGE])),
}
PEOPLE = {
    "connectionsAccepted": Count("pk", filter=Q(connected_at__isnull=False)),
    "repliesReceived": Count("pk", filter=Q(replied_at__isnull=False)),
}
ACTIONS = {"pause": (pause_campaign, "paused"), "resume": (start_campaign, "resumed")}


class CampaignViewSet(SendPilotViewSet):
    subject = "campaigns"
    what = "Campaign"

    def get_queryset(self):
        return Campaign.objects.alive()

    def list(self, request) -> Response:
        ids, meta = self.numbered_page(self.filtered(), usual=20)
        campaigns = self.get_queryset().filter(pk__in=ids).order_by("-pk")
        leads = leads_of(ids)
        return Response({"data": [summary(one, leads) for one in campaigns], "meta": meta})

    def filtered(self):
        asked = self.request.query_params.get("status", "all").lower()
        if asked == "all":
            return self.get_queryset()
        if asked not in FILTERS:
            raise Invalid(f"status must be one of: {', '.join(FILTERS)}, all", field="status")
        return self.get_queryset().filter(status=FILTERS[asked])

    def retrieve(self, request, id: str) -> Response:
        return Response(whole(self.row(self.get_queryset(), id)))

    def partial_update(self, request, id: str) -> Response:
        campaign, action = self.row(self.get_queryset(), id), self.body().get("action")
        if action not in ACTIONS:
            raise Invalid("action must be one of the following values: pause, resume", field="action")
        if action == "resume" and campaign.status not in (Status.PAUSED, Status.STARTED):
            raise Invalid(
                f"The action resume needs a paused campaign; this one is {campaign.status}", field="action"
            )
        verb, said = ACTIONS[action]
        changed = verb(campaign, by=self.by)
        return Response(
            {
                "success": True,
                "campaignId": id_of(changed),
                "action": action,
                "newStatus": changed.status.lower(),
                "message": f"Campaign {said} successfully",
            }
        )


def leads_of(ids: Sequence[int]) -> dict[int, int]:
    rows = Enrolment.objects.filter(campaign__in=ids).values_list("campaign_id")
    return dict(rows.annotate(Count("pk")).order_by())


def summary(campaign: Campaign, leads: dict[int, int]) -> dict[str, Any]:
    return {
        "id": id_of(campaign),
        "name": campaign.name,
        "status": campaign.status,
        "totalLeads": leads.get(campaign.pk, 0),
        **times(campaign),
    }


def times(row: Any) -> dict[str, str]:
    return {"createdAt": utc_text(row.created_at), "updatedAt": utc_text(row.updated_at)}


def whole(campaign: Campaign) -> dict[str, Any]:
    metrics = {
        **Message.objects.filter(campaign=campaign).aggregate(**METRICS),
        **Enrolment.objects.filter(campaign=campaign).aggregate(**PEOPLE),
    }
    accounts = campaign.linkedin_accounts.filter(deleted_at=None).order_by("pk")
    short = summary(campaign, leads_of([campaign.pk]))
    moments = {name: short.pop(name) for name in ("createdAt", "updatedAt")}
    order = ("connectionsSent", "connectionsAccepted", "messagesSent", "repliesReceived")
    return {
        **short,
        "metrics": {name: metrics[name] for name in order},
        **{name: metrics[name] for name in ("connectionsSent", "messagesSent", "repliesReceived")},
        "description": None,
        "type": "OUTREACH",
        "linkedInSenderIds": [written(accounts.model, uid) for uid in accounts.values_list("uid", flat=True)],
        **moments,
    }
