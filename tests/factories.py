"""Rows for tests. A factory makes the smallest valid thing; a test states what it cares about.

Factories write rows only: no events, no search documents. A test of a verb calls the verb.
"""

from __future__ import annotations

import factory
from factory.django import DjangoModelFactory

from crm.models import (
    ActivityType,
    Attachment,
    Comment,
    Company,
    Contact,
    ContactEmail,
    Field,
    FollowUp,
    FollowUpTask,
    ImportJob,
    Lead,
    Pipeline,
    Prospect,
    ProspectingList,
    ReceivedMail,
    Step,
    Tag,
    TagCategory,
)
from outreach.models import (
    BlocklistEntry,
    Campaign,
    ContactSearch,
    Conversation,
    EmailAccount,
    EmailTemplate,
    Enrolment,
    Incoming,
    LinkedInAccount,
    Message,
    SendingDomain,
    SequenceStep,
)
from pipelime.accounts.models import Account, ApiKey, Team, TeamMember, User
from pipelime.events.models import Event
from pipelime.scope import every_account
from webhooks.models import Delivery, Endpoint


class Factory(DjangoModelFactory):
    """Rows of any account can be made, whatever scope the test has open."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        with every_account():
            return super()._create(model_class, *args, **kwargs)


class AccountFactory(Factory):
    class Meta:
        model = Account

    name = factory.Sequence("Account {}".format)
    slug = factory.Sequence("account-{}".format)
    postal_address = "1 Test Street, 12345 Testville"


class Owned(Factory):
    class Meta:
        abstract = True

    account = factory.SubFactory(AccountFactory)


def same_account(other: type[Factory], **defaults):
    """A part of the same account: without this, half of all test rows would belong to strangers."""
    return factory.SubFactory(other, account=factory.SelfAttribute("..account"), **defaults)


class UserFactory(Owned):
    class Meta:
        model = User

    email = factory.Sequence("user{}@example.com".format)
    first_name = "Ada"
    last_name = factory.Sequence("Lovelace {}".format)
    password = "!"


class ApiKeyFactory(Owned):
    """A row as good as any; a key that works is made by the verb."""

    class Meta:
        model = ApiKey

    name = factory.Sequence("Key {}".format)
    lookup = factory.Sequence("{:08d}".format)
    digest = "0" * 64
    scopes = ["contacts:read"]


class TeamFactory(Owned):
    class Meta:
        model = Team

    name = factory.Sequence("Team {}".format)


class TeamMemberFactory(Owned):
    class Meta:
        model = TeamMember

    team = same_account(TeamFactory)
    user = same_account(UserFactory)


class TagFactory(Owned):
    class Meta:
        model = Tag

    name = factory.Sequence("tag {}".format)


class TagCategoryFactory(Owned):
    class Meta:
        model = TagCategory

    name = factory.Sequence("Category {}".format)


class FieldFactory(Owned):
    class Meta:
        model = Field

    kind = Field.Kind.CONTACT
    name = factory.Sequence("Field {}".format)
    key = factory.Sequence("field_{}".format)


class CompanyFactory(Owned):
    class Meta:
        model = Company

    name = factory.Sequence("Company {}".format)


class ContactFactory(Owned):
    """`email="a@b.c"` gives the contact that address; by default each has one of its own."""

    class Meta:
        model = Contact
        skip_postgeneration_save = True

    first_name = "Grace"
    last_name = factory.Sequence("Hopper {}".format)

    @factory.post_generation
    def email(self, create, extracted, **kwargs):
        address = extracted if extracted is not None else f"contact{self.pk}@example.com"
        if address:
            with every_account():
                ContactEmail.objects.create(
                    account=self.account,
                    contact=self,
                    address=address,
                    email_key=address.casefold(),
                    is_primary=True,
                )


class PipelineFactory(Owned):
    class Meta:
        model = Pipeline

    name = factory.Sequence("Pipeline {}".format)


class StepFactory(Owned):
    class Meta:
        model = Step

    pipeline = same_account(PipelineFactory)
    name = factory.Sequence("Step {}".format)
    position = factory.Sequence(lambda number: number % 1000 + 1)


class LeadFactory(Owned):
    class Meta:
        model = Lead

    step = same_account(StepFactory)
    title = factory.Sequence("Lead {}".format)


class CommentFactory(Owned):
    class Meta:
        model = Comment

    lead = same_account(LeadFactory)
    content = "Called back"


class AttachmentFactory(Owned):
    """A business card: the kind that every route of attachments shows. Its file is in no storage; tests
    that fetch one attach it."""

    class Meta:
        model = Attachment

    lead = same_account(LeadFactory)
    kind = Attachment.Kind.BUSINESS_CARD
    name = factory.Sequence("card-{}.png".format)
    file = factory.Sequence("attachments/0/2030-01-01/{}".format)
    content_type = "image/png"
    size = 1000


class ReceivedMailFactory(Owned):
    class Meta:
        model = ReceivedMail

    raw = factory.Sequence("mail/0/2030-01-01/{}".format)
    sha256 = factory.Sequence("{:064x}".format)
    source = "pipe"
    sender = "lea@example.org"
    subject = factory.Sequence("Mail {}".format)


class ActivityTypeFactory(Owned):
    class Meta:
        model = ActivityType

    name = factory.Sequence("Activity {}".format)


class ProspectingListFactory(Owned):
    class Meta:
        model = ProspectingList

    title = factory.Sequence("List {}".format)
    columns = ["Company", "Email", "Phone"]


class ProspectFactory(Owned):
    class Meta:
        model = Prospect

    prospecting_list = same_account(ProspectingListFactory)
    content = factory.Sequence(lambda number: [f"Prospect {number}", "", ""])


class FollowUpFactory(Owned):
    class Meta:
        model = FollowUp

    lead = same_account(LeadFactory)
    title = factory.Sequence("Follow-up {}".format)


class FollowUpTaskFactory(Owned):
    class Meta:
        model = FollowUpTask

    follow_up = same_account(FollowUpFactory)
    title = factory.Sequence("Task {}".format)


class EventFactory(Owned):
    """An event about the account, as good as any where only its owner matters."""

    class Meta:
        model = Event

    name = "account.updated"
    subject_type = "account"
    subject_id = factory.SelfAttribute("account.pk")
    subject_uid = factory.SelfAttribute("account.uid")
    data = {"object": {"name": "Acme"}}


class ImportJobFactory(Owned):
    class Meta:
        model = ImportJob

    file = "imports/people.csv"
    file_name = "people.csv"
    status = ImportJob.Status.DONE
    state = ImportJob.State.DONE


class MailboxFactory(Owned):
    class Meta:
        model = EmailAccount

    email = factory.Sequence("sender{}@example.com".format)
    name = "Sam Sender"
    smtp_host = "127.0.0.1"
    smtp_port = 2525
    smtp_security = EmailAccount.Security.NONE
    daily_limit = 1000


class CampaignFactory(Owned):
    class Meta:
        model = Campaign

    name = factory.Sequence("Campaign {}".format)


class SequenceStepFactory(Owned):
    class Meta:
        model = SequenceStep

    campaign = same_account(CampaignFactory)
    number = 1
    variants = [
        {"key": "A", "weight": 1, "subject": "Hello {{ first_name }}", "body": "Dear {{ first_name }}"}
    ]


class EnrolmentFactory(Owned):
    class Meta:
        model = Enrolment

    campaign = same_account(CampaignFactory)
    contact = same_account(ContactFactory)
    address = factory.Sequence("enrolled{}@example.com".format)


class MessageFactory(Owned):
    class Meta:
        model = Message

    enrolment = same_account(EnrolmentFactory)
    campaign = factory.SelfAttribute("enrolment.campaign")
    mailbox = same_account(MailboxFactory)
    contact_uid = factory.SelfAttribute("enrolment.contact.uid")
    step_number = 1
    variant = "A"
    to_address = factory.SelfAttribute("enrolment.address")
    from_address = factory.SelfAttribute("mailbox.email")
    campaign_name = factory.SelfAttribute("campaign.name")
    message_id = factory.Sequence("<message{}@example.com>".format)


class EmailTemplateFactory(Owned):
    class Meta:
        model = EmailTemplate

    name = factory.Sequence("Template {}".format)
    subject = "Hello {{ first_name }}"
    body = "Dear {{ first_name }}, about {{ lead.title }}."


class LinkedInAccountFactory(Owned):
    class Meta:
        model = LinkedInAccount

    name = factory.Sequence("Sender {}".format)
    profile_url = factory.Sequence("https://www.linkedin.com/in/sender-{}".format)


class ConversationFactory(Owned):
    class Meta:
        model = Conversation

    mailbox = same_account(MailboxFactory)
    contact = same_account(ContactFactory)
    counterpart = factory.Sequence("person{}@example.com".format)


class IncomingFactory(Owned):
    class Meta:
        model = Incoming

    kind = Incoming.Kind.REPLY
    mailbox = factory.SelfAttribute("conversation.mailbox")
    conversation = same_account(ConversationFactory)
    from_address = factory.SelfAttribute("conversation.counterpart")
    text = "Tell me more."
    digest = factory.Sequence("digest{}".format)


class SendingDomainFactory(Owned):
    class Meta:
        model = SendingDomain

    name = factory.Sequence("sender{}.example.com".format)


class ContactSearchFactory(Owned):
    class Meta:
        model = ContactSearch

    name = factory.Sequence("Search {}".format)
    requested = 100


class BlocklistEntryFactory(Owned):
    class Meta:
        model = BlocklistEntry

    value = factory.Sequence("blocked{}@example.com".format)
    kind = BlocklistEntry.Kind.EMAIL


class EndpointFactory(Owned):
    class Meta:
        model = Endpoint

    url = "https://hooks.example.com/in"
    events = ["*"]
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class DeliveryFactory(Owned):
    class Meta:
        model = Delivery

    endpoint = same_account(EndpointFactory)
    event_name = "contact.created"
    body = "{}"
