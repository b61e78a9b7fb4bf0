"""The map of this dialect, below /api/v1/ and /v1/."""

from __future__ import annotations

from django.urls import re_path

from pipelime.api.sendpilot.campaigns import CampaignViewSet
from pipelime.api.sendpilot.credits import CreditsViewSet
from pipelime.api.sendpilot.inbox import ConversationViewSet, SendViewSet
from pipelime.api.sendpilot.lead_database import SearchViewSet
from pipelime.api.sendpilot.leads import LeadViewSet
from pipelime.api.sendpilot.resources import Unknown
from pipelime.api.sendpilot.senders import SenderViewSet

ID = r"(?P<id>[^/]+)"

# Where another dialect shares the mount, and answers whatever is left.
urlpatterns = [
    re_path(r"^campaigns/?$", CampaignViewSet.as_view({"get": "list"})),
    re_path(rf"^campaigns/{ID}/?$", CampaignViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    re_path(r"^leads/?$", LeadViewSet.as_view({"get": "list", "post": "create"})),
    re_path(rf"^leads/{ID}/?$", LeadViewSet.as_view({"get": "retrieve"})),
    re_path(rf"^leads/{ID}/status/?$", LeadViewSet.as_view({"patch": "set_status"})),
    re_path(r"^senders/?$", SenderViewSet.as_view({"get": "list"})),
    re_path(r"^inbox/conversations/?$", ConversationViewSet.as_view({"get": "list"})),
    re_path(rf"^inbox/conversations/{ID}/messages/?$", ConversationViewSet.as_view({"get": "messages"})),
    re_path(r"^inbox/send/?$", SendViewSet.as_view({"post": "send"})),
    re_path(rf"^inbox/send/lead/{ID}/?$", SendViewSet.as_view({"post": "send_to_lead"})),
    re_path(r"^credits/?$", CreditsViewSet.as_view({"get": "show"})),
    re_path(r"^lead-database/searches/?$", SearchViewSet.as_view({"post": "create"})),
    re_path(rf"^lead-database/searches/{ID}/status/?$", SearchViewSet.as_view({"get": "status"})),
    re_path(rf"^lead-database/searches/{ID}/results/?$", SearchViewSet.as_view({"get": "results"})),
]
NOTHING = re_path(r"^(?P<path>.*)$", Unknown.as_view(dict.fromkeys(Unknown.http_method_names, "nothing")))
own_mount = [*urlpatterns, NOTHING]
