"""The rows of the CRM, one module a subject."""

from crm.models.activity import Activity, ActivityType
from crm.models.attachment import Attachment
from crm.models.comment import Comment
from crm.models.company import Company
from crm.models.contact import Contact, ContactEmail
from crm.models.exporting import ExportJob
from crm.models.field import Field
from crm.models.follow_up import FollowUp, FollowUpTask
from crm.models.importing import ImportJob, ImportRow
from crm.models.lead import Lead
from crm.models.lead_key import LeadKey
from crm.models.pipeline import Pipeline, Step
from crm.models.prospecting import Prospect, ProspectingList
from crm.models.received import Inbox, ReceivedMail
from crm.models.tag import Tag, TagCategory

__all__ = [
    "Activity",
    "ActivityType",
    "Attachment",
    "Comment",
    "Company",
    "Contact",
    "ContactEmail",
    "ExportJob",
    "Field",
    "FollowUp",
    "FollowUpTask",
    "ImportJob",
    "ImportRow",
    "Inbox",
    "Lead",
    "LeadKey",
    "Pipeline",
    "Prospect",
    "ProspectingList",
    "ReceivedMail",
    "Step",
    "Tag",
    "TagCategory",
]
