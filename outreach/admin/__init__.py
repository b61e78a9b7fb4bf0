"""Outreach in the workspace, one module a subject."""

from outreach.admin import (  # noqa: F401  each registers its pages
    blocklist,
    campaigns,
    domains,
    enrolments,
    inbox,
    ledger,
    linkedin,
    mailboxes,
    templates,
)
