"""The map: which API answers at which path."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    # Last of the APIs: it answers every path below /api/ that the vendors' dialects do not.
    path("api/", include("pipelime.api.native.urls")),
    path("", include("pipelime.backoffice.urls")),
]
