"""Webhooks in the workspace."""

from webhooks.admin import deliveries, endpoints  # noqa: F401  each registers its pages
