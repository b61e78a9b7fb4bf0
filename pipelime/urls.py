"""The map: which API answers at which path."""

from django.contrib import admin
from django.urls import include, path

from pipelime.api.propipelines.urls import simple_urlpatterns
from pipelime.api.sendpilot import urls as sendpilot

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v2/", include("pipelime.api.propipelines.urls")),
    path("api/simple/", include(simple_urlpatterns)),
    path("api/v1/", include(sendpilot.own_mount)),
    # Last of the APIs: it answers every path below /api/ that the vendors' dialects do not.
    path("api/", include("pipelime.api.native.urls")),
    path("v1/", include("pipelime.api.sendpilot.urls")),
    # It shares /v1/, and its last route answers every path that is left.
    path("v1/", include("pipelime.api.pgai.urls")),
    path("public-api/v1/", include("pipelime.api.pgai.urls")),
    path("", include("pipelime.backoffice.urls")),
]
