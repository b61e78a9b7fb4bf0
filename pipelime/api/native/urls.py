"""The map of the native API, below /api/."""

from __future__ import annotations

from django.urls import path, re_path
from drf_spectacular.views import SpectacularSwaggerView

from pipelime.api.native.account import AccountViewSet
from pipelime.api.native.activity_types import ActivityTypeViewSet
from pipelime.api.native.attachments import AttachmentViewSet, LeadAttachmentViewSet
from pipelime.api.native.blocklist import BlocklistViewSet
from pipelime.api.native.campaign_templates import CampaignTemplateViewSet
from pipelime.api.native.campaigns import CampaignViewSet
from pipelime.api.native.comments import CommentViewSet
from pipelime.api.native.companies import CompanyViewSet
from pipelime.api.native.contacts import ContactViewSet
from pipelime.api.native.conversations import ConversationViewSet
from pipelime.api.native.dashboard import DashboardViewSet
from pipelime.api.native.documentation import openapi
from pipelime.api.native.email_accounts import EmailAccountViewSet
from pipelime.api.native.email_templates import EmailTemplateViewSet, SendTemplateViewSet
from pipelime.api.native.enrolments import EnrolmentViewSet
from pipelime.api.native.exports import ContactExport, LeadExport
from pipelime.api.native.fields import FieldViewSet
from pipelime.api.native.follow_ups import FollowUpTaskViewSet, FollowUpViewSet
from pipelime.api.native.foresight import CampaignPlanViewSet, WhyNotViewSet
from pipelime.api.native.history import ActivityViewSet, EventViewSet
from pipelime.api.native.imports import ImportViewSet, RejectsViewSet
from pipelime.api.native.keys import KeyViewSet
from pipelime.api.native.leads import LeadViewSet
from pipelime.api.native.linkedin_accounts import LinkedInAccountViewSet
from pipelime.api.native.messages import MessageViewSet
from pipelime.api.native.pipelines import PipelineViewSet, StepViewSet
from pipelime.api.native.prospecting_lists import ProspectingListViewSet
from pipelime.api.native.prospects import ProspectViewSet
from pipelime.api.native.resources import Unknown
from pipelime.api.native.routing import Router
from pipelime.api.native.sending_domains import SendingDomainViewSet
from pipelime.api.native.statistics import CampaignStatsViewSet
from pipelime.api.native.tags import TagCategoryViewSet, TagViewSet
from pipelime.api.native.tasks import TaskViewSet
from pipelime.api.native.teams import TeamViewSet
from pipelime.api.native.users import UserViewSet
from pipelime.api.native.webhooks import WebhookViewSet

router = Router()
router.add("activity", ActivityViewSet)
router.add("activity-types", ActivityTypeViewSet)
router.add("api-keys", KeyViewSet)
router.add("attachments", AttachmentViewSet)
router.add("blocklist", BlocklistViewSet)
router.add("campaign-templates", CampaignTemplateViewSet)
router.add("campaigns", CampaignViewSet)
router.add("comments", CommentViewSet)
router.add("companies", CompanyViewSet)
router.add("contacts", ContactViewSet)
router.add("conversations", ConversationViewSet)
router.add("dashboard", DashboardViewSet)
router.add("email-accounts", EmailAccountViewSet)
router.add("email-templates", EmailTemplateViewSet)
router.add("enrolments", EnrolmentViewSet)
router.add("events", EventViewSet)
router.add("fields", FieldViewSet)
router.add("follow-up-tasks", FollowUpTaskViewSet)
router.add("follow-ups", FollowUpViewSet)
router.add("imports", ImportViewSet)
router.add("leads", LeadViewSet)
router.add("linkedin-accounts", LinkedInAccountViewSet)
router.add("messages", MessageViewSet)
router.add("pipelines", PipelineViewSet)
router.add("prospecting-lists", ProspectingListViewSet)
router.add("prospects", ProspectViewSet)
router.add("sending-domains", SendingDomainViewSet)
router.add("steps", StepViewSet)
router.add("tag-categories", TagCategoryViewSet)
router.add("tags", TagViewSet)
router.add("tasks", TaskViewSet)
router.add("teams", TeamViewSet)
router.add("users", UserViewSet)
router.add("webhooks", WebhookViewSet)

ANY_METHOD = dict.fromkeys(Unknown.http_method_names, "nothing")

urlpatterns = [
    path("openapi.json", openapi),
    path("docs", SpectacularSwaggerView.as_view(url="/api/openapi.json", http_method_names=["get", "head"])),
    re_path(r"^imports/(?P<id>[^/.]+)/rejects/?$", RejectsViewSet.as_view({"get": "rejects"})),
    re_path(r"^account/?$", AccountViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    re_path(r"^exports/contacts/?$", ContactExport.as_view({"get": "list"})),
    re_path(r"^exports/leads/?$", LeadExport.as_view({"get": "list"})),
    re_path(
        r"^leads/(?P<id>[^/.]+)/attachments/?$",
        LeadAttachmentViewSet.as_view({"get": "list", "post": "create"}),
    ),
    re_path(r"^leads/(?P<id>[^/.]+)/send-template/?$", SendTemplateViewSet.as_view({"post": "create"})),
    re_path(r"^campaigns/(?P<id>[^/.]+)/plan/?$", CampaignPlanViewSet.as_view({"get": "retrieve"})),
    re_path(r"^campaigns/(?P<id>[^/.]+)/stats/?$", CampaignStatsViewSet.as_view({"get": "retrieve"})),
    re_path(r"^contacts/(?P<id>[^/.]+)/why-not/?$", WhyNotViewSet.as_view({"get": "retrieve"})),
    *router.urls,
    re_path(r"^(?P<path>.*)$", Unknown.as_view(ANY_METHOD)),
]
