"""The map of this dialect, below /v1/ and /public-api/v1/."""

from __future__ import annotations

from django.urls import re_path

from pipelime.api.pgai.contacts import ContactViewSet
from pipelime.api.pgai.resources import Health, Unknown

urlpatterns = [
    re_path(r"^health/?$", Health.as_view({"get": "show"})),
    re_path(r"^contacts/?$", ContactViewSet.as_view({"get": "list", "post": "create"})),
    re_path(r"^contacts/(?P<id>[^/]+)/?$", ContactViewSet.as_view({"get": "retrieve"})),
    # It answers whatever is left below the mount: another dialect that shares it is included before.
    re_path(r"^(?P<path>.*)$", Unknown.as_view(dict.fromkeys(Unknown.http_method_names, "nothing"))),
]
