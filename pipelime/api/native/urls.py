"""The map of the native API, below /api/."""

from __future__ import annotations

from django.urls import path, re_path
from drf_spectacular.views import SpectacularSwaggerView

from pipelime.api.native.contacts import ContactViewSet
from pipelime.api.native.documentation import openapi
from pipelime.api.native.resources import Unknown
from pipelime.api.native.routing import Router

router = Router()
router.add("contacts", ContactViewSet)

ANY_METHOD = dict.fromkeys(Unknown.http_method_names, "nothing")

urlpatterns = [
    path("openapi.json", openapi),
    path("docs", SpectacularSwaggerView.as_view(url="/api/openapi.json")),
    *router.urls,
    re_path(r"^(?P<path>.*)$", Unknown.as_view(ANY_METHOD)),
]
