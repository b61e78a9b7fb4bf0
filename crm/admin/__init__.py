"""The CRM in the workspace, one module a subject."""

from crm.admin import comments, contacts, facts, imports, leads, setup  # noqa: F401  each registers its pages
