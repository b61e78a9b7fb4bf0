"""The map of this dialect, below /api/v2/, in the order of its document."""

from __future__ import annotations

from django.urls import re_path

from pipelime.api.propipelines.activities import ActivityViewSet
from pipelime.api.propipelines.attachments import BusinessCardViewSet, LeadAttachmentViewSet
from pipelime.api.propipelines.auth import LogAsViewSet, LoginViewSet, LogoutViewSet, RevokeViewSet
from pipelime.api.propipelines.categories import CategoryViewSet, PredefinedTagViewSet
from pipelime.api.propipelines.clients import ClientViewSet
from pipelime.api.propipelines.comments import LeadCommentViewSet
from pipelime.api.propipelines.duplicates import DuplicateViewSet
from pipelime.api.propipelines.emails import LeadEmailViewSet
from pipelime.api.propipelines.fields import FieldViewSet
from pipelime.api.propipelines.follow_ups import FollowUpViewSet
from pipelime.api.propipelines.histories import ActionHistoryViewSet
from pipelime.api.propipelines.leads import LeadViewSet
from pipelime.api.propipelines.ping import PingViewSet
from pipelime.api.propipelines.resources import Unknown
from pipelime.api.propipelines.routing import at
from pipelime.api.propipelines.rows import RowViewSet
from pipelime.api.propipelines.simple import ACTIONS, SimpleLeadViewSet
from pipelime.api.propipelines.spreadsheets import SpreadsheetViewSet
from pipelime.api.propipelines.steps import PipelineViewSet, StepViewSet
from pipelime.api.propipelines.teams import TeamViewSet
from pipelime.api.propipelines.users import UserViewSet
from pipelime.api.propipelines.webhook_events import WebhookEventViewSet
from pipelime.api.propipelines.webhooks import WebhookViewSet

nothing = re_path(r"^(?P<path>.*)$", Unknown.as_view(dict.fromkeys(Unknown.http_method_names, "nothing")))

urlpatterns = [
    at("ping", PingViewSet, get="ping"),
    at("auth/log_as", LogAsViewSet, get="log_as"),
    at("auth/login", LoginViewSet, get="login"),
    at("auth/logout", LogoutViewSet, get="logout"),
    at("auth/revoke_api_key", RevokeViewSet, post="revoke"),
    at("steps", StepViewSet, get="list"),
    at("steps/{id}", StepViewSet, get="retrieve"),
    at("pipelines", PipelineViewSet, get="list"),
    at("clients", ClientViewSet, get="list", post="create"),
    at("clients/{id}", ClientViewSet, get="retrieve", put="update", delete="destroy"),
    at("categories", CategoryViewSet, get="list"),
    at("category", CategoryViewSet, post="create"),
    at("predefined_tags", PredefinedTagViewSet, get="list", post="create"),
    at("fields", FieldViewSet, get="list", post="create"),
    at("activities", ActivityViewSet, get="list"),
    at("follow_ups", FollowUpViewSet, get="list"),
    at("leads", LeadViewSet, get="list", post="create"),
    at("leads/unassigned", LeadViewSet, get="unassigned"),
    at("leads/delete_multiple", LeadViewSet, delete="delete_multiple"),
    at("leads/{id}", LeadViewSet, get="retrieve", put="update", delete="destroy"),
    at("leads/{id}/assign", LeadViewSet, post="assign"),
    at("leads/{id}/add_to_client", LeadViewSet, post="add_to_client"),
    at("leads/{id}/duplicate_lead", LeadViewSet, post="duplicate"),
    at("leads/{lead_id}/business_card", BusinessCardViewSet, get="retrieve"),
    at("leads/{lead_id}/comments", LeadCommentViewSet, get="list", post="create"),
    at("leads/{lead_id}/comments/{id}", LeadCommentViewSet, delete="destroy"),
    at("leads/{id}/duplicates", DuplicateViewSet, get="list"),
    at("leads/{lead_id}/attachments", LeadAttachmentViewSet, get="list", post="create"),
    at("leads/{lead_id}/attachments/{id}", LeadAttachmentViewSet, get="retrieve", delete="destroy"),
    at("leads/{id}/action_histories", ActionHistoryViewSet, get="list"),
    at("leads/{id}/emails/send_email_from_template", LeadEmailViewSet, post="send_email_from_template"),
    at("spreadsheets", SpreadsheetViewSet, get="list", post="create"),
    at("spreadsheets/{id}", SpreadsheetViewSet, get="retrieve"),
    at("spreadsheets/{id}/assign", SpreadsheetViewSet, post="assign"),
    at("spreadsheets/{id}/comments", SpreadsheetViewSet, post="comment"),
    at("spreadsheets/{spreadsheet_id}/rows", RowViewSet, post="create"),
    at("spreadsheets/{spreadsheet_id}/rows/{id}", RowViewSet, put="update", delete="destroy"),
    at("spreadsheets/{spreadsheet_id}/rows/{id}/create_lead", RowViewSet, post="create_lead"),
    at("spreadsheets/{spreadsheet_id}/rows/{id}/comments", RowViewSet, post="comment"),
    at("rows/called_from", RowViewSet, get="called_from"),
    at("users", UserViewSet, get="list", post="create"),
    at("users/{id}", UserViewSet, get="retrieve"),
    at("users/{id}/send_activation_email", UserViewSet, get="send_activation_email"),
    at("users/{id}/disable", UserViewSet, put="disable"),
    at("teams", TeamViewSet, get="list", post="create"),
    at("teams/{id}", TeamViewSet, get="retrieve", put="update", delete="destroy"),
    at("teams/{id}/add_member", TeamViewSet, post="add_member"),
    at("teams/{id}/remove_member", TeamViewSet, delete="remove_member"),
    at("webhooks", WebhookViewSet, get="list", post="create"),
    at("webhooks/{id}", WebhookViewSet, delete="destroy"),
    at("webhook_events", WebhookEventViewSet, get="list"),
    at("webhook_events/{id}", WebhookEventViewSet, get="retrieve"),
    nothing,
]

# Below /api/simple/.
simple_urlpatterns = [
    *(at(f"leads/{{id}}/{action}", SimpleLeadViewSet, get=action) for action in ACTIONS),
    nothing,
]
