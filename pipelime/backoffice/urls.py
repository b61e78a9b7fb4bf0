"""Paths of the workspace beside the admin itself."""

from django.urls import path, re_path
from django.views.generic import RedirectView

from pipelime.backoffice import entering, files, inbound, linkedin_in, public, tracked

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("forgotten/", entering.ask_for_reset, name="admin_password_reset"),
    re_path(r"^activate/(?P<uid>[^/]+)/(?P<token>[^/]+)/?$", entering.activate, name="activate"),
    re_path(r"^reset/(?P<uid>[^/]+)/(?P<token>[^/]+)/?$", entering.reset, name="reset"),
    re_path(r"^u/(?P<token>[\w-]+)/?$", public.leave, name="unsubscribe"),
    re_path(r"^o/(?P<token>[\w=-]+)\.gif$", tracked.opened, name="opened"),
    re_path(r"^c/(?P<token>[\w=-]+)$", tracked.clicked, name="clicked"),
    re_path(
        r"^(?P<kind>leads|clients|users|spreadsheets|mailboxes|conversations)/(?P<number>\d+)/?$",
        public.record,
        name="record",
    ),
    re_path(r"^attachments/(?P<number>\d{1,18})/?$", files.attachment, name="attachment"),
    re_path(r"^files/(?P<token>[\w:-]+)/?$", files.download, name="file"),
    re_path(r"^inbound/(?P<uid>[\w-]+)/(?P<signature>[0-9a-f]{64})/?$", inbound.post, name="inbound"),
    re_path(r"^inbound/linkedin/(?P<token>[\w-]{1,100})/?$", linkedin_in.post, name="linkedin_in"),
    path("robots.txt", public.robots),
    path("favicon.ico", public.favicon),
]
