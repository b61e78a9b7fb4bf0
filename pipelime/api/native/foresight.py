"""What a campaign will do, and why it does nothing for one contact."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import orjson
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from crm.models import Contact
from outreach.foresight import CODES, Foresight, Reason, plan_of, why_not
from outreach.foresight.subjects import Shown, shown
from outreach.models import Campaign, Enrolment, SequenceStep
from outreach.windows import zone_named
from pipelime.api.native.inputs import as_uuid
from pipelime.api.native.pages import DEFAULT, MOST, refused, whole_number
from pipelime.api.native.resources import NativeViewSet
from pipelime.errors import NotFound

USUAL_DAYS, MOST_DAYS = 14, 90
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


class SenderOfRow(serializers.Serializer):
    """An e-mail account or a LinkedIn account; null for what a person does without one."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class PlanRowSerializer(serializers.Serializer):
    at = serializers.DateTimeField(help_text="The minute, and second.")
    contact_id = serializers.UUIDField()
    step = serializers.IntegerField()
    channel = serializers.ChoiceField(choices=SequenceStep.Channel.choices)
    sender = SenderOfRow(allow_null=True)
    variant = serializers.CharField()
    subject = serializers.CharField(
        allow_null=True, help_text="As the contact would read it; null of steps that have none."
    )


class LeftOutOfPlanSerializer(serializers.Serializer):
    contact_id = serializers.UUIDField()
    code = serializers.ChoiceField(choices=list(CODES))
    detail = serializers.CharField()


class PaginationOfPlan(serializers.Serializer):
    limit = serializers.IntegerField()
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class PlanSerializer(serializers.Serializer):
    """Both lists go on from page to page, until `has_more` is false."""

    data = PlanRowSerializer(many=True)
    left_out = LeftOutOfPlanSerializer(many=True)
    pagination = PaginationOfPlan()


class ReasonSerializer(serializers.Serializer):
    code = serializers.ChoiceField(choices=list(CODES))
    detail = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True, help_text="When it lapses, as far as that is known.")


class ReasonsSerializer(serializers.Serializer):
    data = ReasonSerializer(many=True)


class Cursor(NamedTuple):
    """Every page asks for the same plan, and goes on behind the last row and the last one left out."""

    now: datetime
    until: datetime
    at: datetime = BEGINNING
    enrolment_id: int = 0
    step_number: int = 0
    left_out_id: int = 0

    def text(self) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(list(self))).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Cursor:
        try:
            now, until, at, *ids = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            moments = [datetime.fromisoformat(moment).astimezone(UTC) for moment in (now, until, at)]
            found = cls(*moments, *map(int, ids))
        except (ValueError, TypeError, OverflowError, binascii.Error):
            raise refused(
                "cursor", "is not one that this API gave out; take it from pagination.next_cursor"
            ) from None
        if not timedelta(0) < found.until - found.now <= timedelta(days=MOST_DAYS + 1):
            raise refused("cursor", "is of no plan that this API makes; begin again without it")
        return found

    @property
    def row_key(self) -> tuple[datetime, int, int]:
        return self.at, self.enrolment_id, self.step_number


def last_day(text: str, campaign: Campaign, now: datetime) -> datetime:
    """The end of the day that `until` names, in the campaign's time zone."""
    zone = zone_named(campaign.time_zone)
    today = now.astimezone(zone).date()
    try:
        day = date.fromisoformat(text) if text else today + timedelta(days=USUAL_DAYS)
    except ValueError:
        raise refused("until", f"{text!r} is no day; use YYYY-MM-DD, such as {today}") from None
    if not today <= day <= today + timedelta(days=MOST_DAYS):
        raise refused("until", f"{day} is not within the next {MOST_DAYS} days, from {today} on")
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


class CampaignPlanViewSet(NativeViewSet):
    """What a campaign will do."""

    subject = "campaigns"
    serializer_class = PlanSerializer
    pagination_class = None
    parameters = {"retrieve": ("until", "limit", "cursor")}

    def get_queryset(self):
        return Campaign.objects.alive()

    @extend_schema(
        operation_id="campaigns_plan",
        parameters=[
            OpenApiParameter(
                "until",
                {"type": "string", "format": "date"},
                description=f"The last day, in the campaign's time zone: in {USUAL_DAYS} days unless said "
                f"otherwise, in {MOST_DAYS} at most.",
            ),
            OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT}),
            OpenApiParameter("cursor", str, description="The last answer's pagination.next_cursor."),
        ],
        responses=PlanSerializer,
    )
    def retrieve(self, request, id):
        """The coming steps in order, and who gets none. A campaign that does not run is planned as if it did.

        When nothing outside happens it comes true to the minute: an answer, a bounce or a change makes
        another plan.
        """
        campaign, given = self.row(), request.query_params
        limit = whole_number(given, "limit", DEFAULT, 1, MOST)
        cursor = self.beginning(campaign)
        plan = plan_of(campaign, until=cursor.until, now=cursor.now)
        return Response(page(campaign, plan, cursor, limit))

    def beginning(self, campaign: Campaign) -> Cursor:
        given = self.request.query_params
        if text := given.get("cursor", ""):
            if given.get("until"):
                raise refused("until", "cannot be combined with cursor, which says it already; leave it out")
            return Cursor.read(text)
        now = timezone.now().replace(microsecond=0)
        return Cursor(now, last_day(given.get("until", ""), campaign, now))


def page(campaign: Campaign, plan: Foresight, cursor: Cursor, limit: int) -> dict[str, Any]:
    rows = plan.rows_after(cursor.row_key, limit + 1)
    left_out = plan.left_out_after(cursor.left_out_id, limit + 1)
    has_more = len(rows) > limit or len(left_out) > limit
    rows, left_out = rows[:limit], left_out[:limit]
    if rows:
        last = rows[-1]
        cursor = cursor._replace(at=last.at, enrolment_id=last.enrolment_id, step_number=last.step_number)
    if left_out:
        cursor = cursor._replace(left_out_id=left_out[-1].enrolment_id)
    contacts = contact_ids([one.enrolment_id for one in left_out])
    return {
        "data": [as_row(one) for one in shown(campaign, rows)],
        "left_out": [
            {"contact_id": contacts[one.enrolment_id], "code": one.reason.code, "detail": one.reason.detail}
            for one in left_out
        ],
        "pagination": {
            "limit": limit,
            "next_cursor": cursor.text() if has_more else None,
            "has_more": has_more,
        },
    }


def contact_ids(enrolment_ids: list[int]) -> dict[int, Any]:
    return dict(Enrolment.objects.filter(pk__in=enrolment_ids).values_list("pk", "contact__uid"))


def as_row(one: Shown) -> dict[str, Any]:
    return {
        "at": one.row.at,
        "contact_id": one.place.contact.uid,
        "step": one.row.step_number,
        "channel": one.channel,
        "sender": {"id": one.sender_uid, "name": one.sender_name} if one.sender_uid else None,
        "variant": one.row.variant,
        "subject": one.subject.text,
    }


class WhyNotViewSet(NativeViewSet):
    """Why a contact gets nothing from a campaign now."""

    subject = "campaigns"
    serializer_class = ReasonsSerializer
    pagination_class = None
    parameters = {"retrieve": ("campaign",)}

    def get_queryset(self):
        return Contact.objects.alive()

    @extend_schema(
        operation_id="contacts_why_not",
        parameters=[OpenApiParameter("campaign", {"type": "string", "format": "uuid"}, required=True)],
        responses=ReasonsSerializer,
    )
    def retrieve(self, request, id):
        """Every reason, the most decisive first; `planned` alone if there is none."""
        contact, text = self.row(), request.query_params.get("campaign", "")
        if not text:
            raise refused("campaign", "is missing: name the campaign by its id")
        uid = as_uuid(text)
        campaign = Campaign.objects.alive().filter(uid=uid).select_related("account").first() if uid else None
        if campaign is None:
            raise NotFound("Campaign not found")
        return Response({"data": [as_reason(reason) for reason in why_not(contact, campaign)]})


def as_reason(reason: Reason) -> dict[str, Any]:
    return {"code": reason.code, "detail": reason.detail, "until": reason.until}
