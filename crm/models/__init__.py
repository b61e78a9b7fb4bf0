"""The rows of the CRM, one module a subject."""

from crm.models.activity import Activity, ActivityType
from crm.models.comment import Comment
from crm.models.company import Company
from crm.models.contact import Contact, ContactEmail
from crm.models.exporting import ExportJob
from crm.models.field import Field
from crm.models.importing import ImportJob, ImportRow
from crm.models.lead import Lead
from crm.models.pipeline import Pipeline, Step
from crm.models.tag import Tag

__all__ = [
    "Activity",
    "ActivityType",
    "Comment",
    "Company",
    "Contact",
    "ContactEmail",
    "ExportJob",
    "Field",
    "ImportJob",
    "ImportRow",
    "Lead",
    "Pipeline",
    "Step",
    "Tag",
]
