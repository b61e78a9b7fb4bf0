"""The CRM in the workspace, one module a subject."""

from crm.admin import (  # noqa: F401  each registers its pages
    activity_types,
    comments,
    contacts,
    facts,
    follow_ups,
    imports,
    leads,
    prospecting,
    prospects,
    received,
    setup,
    tags,
)
