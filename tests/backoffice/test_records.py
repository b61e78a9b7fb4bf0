"""Pages of records call the verbs: events are written, refusals stand at their field."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.contacts import create_contact
from crm.models import (
    ActivityType,
    Comment,
    Contact,
    Field,
    FollowUp,
    FollowUpTask,
    Lead,
    Pipeline,
    Prospect,
    ProspectingList,
    ReceivedMail,
    TagCategory,
)
from outreach.models import BlocklistEntry, Campaign, EmailAccount, Enrolment, Message
from pipelime.accounts.keys import find_key
from pipelime.accounts.models import ApiKey, Notice, Team, User
from pipelime.events.models import Event
from tests import factories
from tests.backoffice.rows import address
from webhooks.models import Delivery, Endpoint

NO_COMMENTS = {"comments-TOTAL_FORMS": 0, "comments-INITIAL_FORMS": 0}
NO_PARTS = {
    f"{part}-{count}_FORMS": 0
    for part in ("comments", "follow_ups", "attachments")
    for count in ("TOTAL", "INITIAL")
}


def contact_form(*emails: str, **values: str) -> dict:
    form = {"emails-TOTAL_FORMS": len(emails), "emails-INITIAL_FORMS": 0, **NO_COMMENTS, **values}
    for number, email in enumerate(emails):
        form[f"emails-{number}-address"] = email
    return form


def names() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("name", flat=True))


def test_a_contact_is_made_with_its_addresses_and_tags(browser):
    browser.post(
        address(Contact, "add"),
        contact_form("ada@example.com", "ada@home.example", first_name="Ada", tags="warm, fair"),
    )

    contact = Contact.objects.get()
    assert [email.address for email in contact.emails.all()] == ["ada@example.com", "ada@home.example"]
    assert sorted(tag.name for tag in contact.tags.all()) == ["fair", "warm"]
    assert "contact.created" in names()


def test_a_known_address_is_refused_in_the_form_and_nothing_is_written(browser, account):
    create_contact(account, by=None, email="ada@example.com")

    answer = browser.post(address(Contact, "add"), contact_form("ada@example.com", first_name="Ada"))

    assert answer.status_code == 200
    assert answer.context["adminform"].form.non_field_errors() == [
        "A contact with this e-mail address exists already"
    ]
    assert Contact.objects.count() == 1


def test_a_refusal_stands_at_its_field(browser, account, user):
    lead = factories.LeadFactory(account=account, owner=user)

    answer = browser.post(
        address(Lead, "change", lead.pk),
        {"title": lead.title, "step": lead.step_id, "status": "standby", "owner": user.pk, "currency": "EUR",
         **NO_PARTS},
    )  # fmt: skip

    assert answer.context["adminform"].form.errors["remind_date"] == [
        "A lead on standby needs a remind_date, the day to look at it again"
    ]
    assert names() == []


def test_only_what_was_changed_is_told(browser, account):
    contact = create_contact(account, by=None, email="ada@example.com", first_name="Ada", last_name="Byron")
    row = contact.emails.get()
    form = contact_form(first_name="Ada", last_name="Lovelace")
    form |= {"emails-TOTAL_FORMS": 1, "emails-INITIAL_FORMS": 1, "emails-0-id": row.pk,
             "emails-0-contact": contact.pk, "emails-0-address": row.address,
             "emails-0-is_primary": "on"}  # fmt: skip

    browser.post(address(Contact, "change", contact.pk), form)

    event = Event.objects.get(name="contact.updated")
    assert event.data["changes"] == {"last_name": ["Byron", "Lovelace"]}


def test_a_custom_field_is_a_field_of_the_form(browser, account):
    factories.FieldFactory(
        account=account, kind=Field.Kind.CONTACT, name="Budget", key="budget", type="number"
    )

    browser.post(address(Contact, "add"), contact_form(first_name="Ada", custom__budget="1200"))

    assert Contact.objects.get().custom_fields == {"budget": 1200}


def test_a_comment_is_added_on_the_page_of_its_lead(browser, account, user):
    lead = factories.LeadFactory(account=account, owner=user, currency="EUR")

    browser.post(
        address(Lead, "change", lead.pk),
        {"title": lead.title, "step": lead.step_id, "status": "todo", "owner": user.pk, "currency": "EUR",
         **NO_PARTS, "comments-TOTAL_FORMS": 1, "comments-0-content": "Call on Monday"},
    )  # fmt: skip

    comment = Comment.objects.get()
    assert (comment.content, comment.lead_id, comment.author_id) == ("Call on Monday", lead.pk, user.pk)
    assert names() == ["comment.created"]


def test_deleting_is_soft_and_told(browser, account):
    contact = create_contact(account, by=None, email="ada@example.com")

    browser.post(address(Contact, "delete", contact.pk), {"post": "yes"})

    contact.refresh_from_db()
    assert contact.deleted_at is not None
    assert names()[-1] == "contact.deleted"


def test_a_lead_is_won_by_a_button(browser, account, user):
    lead = factories.LeadFactory(account=account, owner=user)

    browser.post(address(Lead, "press", lead.pk, "won"))

    lead.refresh_from_db()
    assert lead.status == Lead.Status.WON


def test_an_export_holds_the_chosen_rows(browser, account):
    chosen = create_contact(account, by=None, email="ada@example.com")
    create_contact(account, by=None, email="bob@example.com")

    answer = browser.post(
        address(Contact, "changelist"), {"action": "export_csv", "_selected_action": [chosen.pk]}
    )

    content = b"".join(answer.streaming_content).decode()
    assert "ada@example.com" in content
    assert "bob@example.com" not in content


def test_a_pipeline_is_made_with_its_steps_and_changed(browser, account):
    steps = {"steps-TOTAL_FORMS": 2, "steps-INITIAL_FORMS": 0, "steps-0-name": "First", "steps-0-position": 1,
             "steps-1-name": "Second", "steps-1-position": 2}  # fmt: skip
    browser.post(address(Pipeline, "add"), {"name": "Partners", "position": 1, **steps})
    pipeline = Pipeline.objects.get()
    first, second = pipeline.steps.all()

    browser.post(
        address(Pipeline, "change", pipeline.pk),
        {"name": "Partners", "is_default": "on", "position": 1, "steps-TOTAL_FORMS": 3,
        "steps-INITIAL_FORMS": 2,
         "steps-0-id": first.pk, "steps-0-pipeline": pipeline.pk, "steps-0-name": "Begin",
         "steps-0-position": 1,
         "steps-1-id": second.pk, "steps-1-pipeline": pipeline.pk, "steps-1-name": "Second",
         "steps-1-position": 2, "steps-1-DELETE": "on", "steps-2-pipeline": pipeline.pk,
         "steps-2-name": "End",
         "steps-2-position": 3},
    )  # fmt: skip

    assert [step.name for step in pipeline.steps.all()] == ["Begin", "End"]


def test_the_raw_key_is_shown_once_and_stored_nowhere(browser):
    answer = browser.post(address(ApiKey, "add"), {"name": "Zapier", "scopes": "contacts:read leads:*"})

    key, raw = ApiKey.objects.get(), answer.context["secret"]
    again = browser.get(address(ApiKey, "change", key.pk))
    assert find_key(raw) == key
    assert key.scopes == ["contacts:read", "leads:*"]
    assert raw.encode() not in again.content
    assert "no-store" in answer["Cache-Control"]


def test_the_secret_of_a_webhook_is_shown_once_and_again_when_rotated(browser):
    made = browser.post(address(Endpoint, "add"), {"url": "https://hooks.example.com/in", "events": "lead.*"})
    endpoint = Endpoint.objects.get()
    rotated = browser.post(address(Endpoint, "press", endpoint.pk, "rotate"))

    page = browser.get(address(Endpoint, "change", endpoint.pk))
    endpoint.refresh_from_db()
    assert (made.context["secret"], rotated.context["secret"]) == (endpoint.old_secret, endpoint.secret)
    assert endpoint.secret.encode() not in page.content


def test_an_unknown_event_is_refused_at_its_field(browser):
    answer = browser.post(
        address(Endpoint, "add"), {"url": "https://hooks.example.com/in", "events": "leed.*"}
    )

    assert list(answer.context["adminform"].form.errors) == ["events"]
    assert not Endpoint.objects.exists()


def test_a_delivery_is_sent_again_by_a_button(browser, account):
    delivery = factories.DeliveryFactory(account=account, state="failed")

    browser.post(address(Delivery, "press", delivery.pk, "again"))

    delivery.refresh_from_db()
    assert delivery.state == "queued"


def test_a_password_of_a_mailbox_goes_in_and_never_comes_out(browser, account):
    form = {
        "email": "sam@example.com", "daily_limit": 50, "smtp_host": "smtp.example.com", "smtp_port": 587,
        "smtp_security": "starttls", "smtp_username": "sam", "smtp_password": "hush hush", "imap_port": 993,
        "imap_security": "tls",
    }  # fmt: skip
    browser.post(address(EmailAccount, "add"), form)
    mailbox = EmailAccount.objects.get()
    page = browser.get(address(EmailAccount, "change", mailbox.pk))
    browser.post(
        address(EmailAccount, "change", mailbox.pk),
        form | {"smtp_password": "", "name": "Sam", "daily_limit": 60},
    )

    mailbox.refresh_from_db()
    assert b"hush hush" not in page.content
    assert (mailbox.smtp_password, mailbox.name, mailbox.daily_limit) == ("hush hush", "Sam", 60)


def test_a_fault_of_a_server_stands_at_its_field(browser):
    answer = browser.post(
        address(EmailAccount, "add"),
        {"email": "sam@example.com", "daily_limit": 50, "smtp_host": "smtp.example.com", "smtp_port": 70000,
         "smtp_security": "starttls", "imap_port": 993, "imap_security": "tls"},
    )  # fmt: skip

    assert "smtp_port" in answer.context["adminform"].form.errors
    assert not EmailAccount.objects.exists()


def test_a_user_is_invited_by_mail_and_disabled_by_a_button(browser, account):
    browser.post(address(User, "add"), {"email": "zoe@example.com", "first_name": "Zoe"})
    invited = User.objects.get(email="zoe@example.com")
    browser.post(address(User, "press", invited.pk, "disable"))

    invited.refresh_from_db()
    assert Notice.objects.get().to == "zoe@example.com"
    assert not invited.is_active


def test_a_team_is_made_with_its_members(browser, account, seller):
    browser.post(
        address(Team, "add"),
        {"name": "North", "members-TOTAL_FORMS": 1, "members-INITIAL_FORMS": 0, "members-0-user": seller.pk,
         "members-0-is_manager": "on"},
    )  # fmt: skip

    member = Team.objects.get().members.get()
    assert (member.user_id, member.is_manager) == (seller.pk, True)


def test_many_lines_are_blocked_at_once_and_each_fault_is_told(browser):
    answer = browser.post(
        "/admin/outreach/blocklistentry/many/", {"lines": "ada@example.com\nnot an address\nexample.org"}
    )

    assert sorted(BlocklistEntry.objects.values_list("value", flat=True)) == [
        "ada@example.com",
        "example.org",
    ]
    assert [line for line, _, _ in answer.context["result"].invalid] == [2]


@pytest.mark.parametrize(("button", "state"), [("arrived", "sent"), ("send_again", "queued")])
def test_an_ambiguous_message_is_settled_by_a_person(browser, account, button, state):
    campaign = factories.CampaignFactory(account=account, status="STARTED")
    enrolment = factories.EnrolmentFactory(account=account, campaign=campaign, state="in_flight")
    message = factories.MessageFactory(account=account, state="ambiguous", enrolment=enrolment)

    browser.post(address(type(message), "press", message.pk, button))

    message.refresh_from_db()
    assert message.state == state


def test_the_settings_of_the_account_are_its_only_row(browser, account):
    listed = browser.get("/admin/accounts/account/")
    browser.post(
        listed.url,
        {"name": "Loretta", "postal_address": "1 Elm Street", "time_zone": "Europe/Paris", "currency": "usd",
         "locale": "fr", "lead_visibility": "own"},
    )  # fmt: skip

    account.refresh_from_db()
    assert listed.url == address(type(account), "change", account.pk)
    assert (account.name, account.currency, account.time_zone) == ("Loretta", "USD", "Europe/Paris")


def test_the_account_s_daily_limits_of_mails_are_set_and_taken_away(browser, account):
    account.settings = {"mails_per_domain_a_day": 5, "requests_per_day": 9}
    account.save()
    url = address(type(account), "change", account.pk)
    form = {
        "name": "Loretta",
        "time_zone": "UTC",
        "currency": "EUR",
        "locale": "en",
        "lead_visibility": "own",
    }

    shown = browser.get(url).context["adminform"].form["mails_per_domain_a_day"].value()
    browser.post(url, {**form, "mails_a_day": 300, "mails_per_domain_a_day": ""})
    refused = browser.post(url, {**form, "mails_a_day": 0})

    account.refresh_from_db()
    assert shown == 5
    assert account.settings == {"mails_a_day": 300, "requests_per_day": 9}
    assert "greater than or equal to 1" in refused.content.decode()


def test_a_list_counts_to_its_cap_only(browser, account, monkeypatch):
    monkeypatch.setattr("pipelime.backoffice.paginator.COUNTED_AT_MOST", 3)
    for _ in range(5):
        factories.ContactFactory(account=account)

    answer = browser.get(address(Contact, "changelist"))

    paginator = answer.context["cl"].paginator
    assert (paginator.count, paginator.label) == (3, "3+")


LONG = {
    Contact: factories.ContactFactory, Lead: factories.LeadFactory, Campaign: factories.CampaignFactory,
    Comment: factories.CommentFactory, Team: factories.TeamFactory, Delivery: factories.DeliveryFactory,
    Message: factories.MessageFactory, Enrolment: factories.EnrolmentFactory,
    ProspectingList: factories.ProspectingListFactory, Prospect: factories.ProspectFactory,
    FollowUp: factories.FollowUpFactory, FollowUpTask: factories.FollowUpTaskFactory,
    ActivityType: factories.ActivityTypeFactory, TagCategory: factories.TagCategoryFactory,
    ReceivedMail: factories.ReceivedMailFactory,
}  # fmt: skip


@pytest.mark.parametrize("model", LONG)
def test_a_list_takes_the_same_number_of_queries_whatever_its_length(browser, account, model):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            browser.get(address(model, "changelist"))
        return len(queries)

    LONG[model](account=account)
    asked()
    few = asked()
    for _ in range(10):
        LONG[model](account=account)

    assert asked() == few
