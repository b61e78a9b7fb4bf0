"""Outreach in the workspace, one module a subject."""

from outreach.admin import blocklist, campaigns, ledger, mailboxes  # noqa: F401  each registers its pages
