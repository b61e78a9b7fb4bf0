"""When nothing is written to a lead, and what is said then."""

from __future__ import annotations

import pytest

from crm.models import Lead
from outreach.blocking import block
from outreach.mailboxes import create_mailbox, delete_mailbox, pause_mailbox
from outreach.models import EmailTemplate, Message
from outreach.template_mail import send_template
from pipelime.accounts.models import Account
from pipelime.accounts.settings import suspend
from pipelime.errors import Invalid, NotAllowed, NotIncluded, Suspended
from pipelime.events.models import Event
from tests.factories import (
    ContactFactory,
    EmailTemplateFactory,
    LeadFactory,
    MailboxFactory,
    UserFactory,
)
from tests.outreach.template_mail.conftest import ADDRESS, reworded


def refused(template: EmailTemplate, lead: Lead, by) -> Invalid:
    with pytest.raises(Invalid) as refusal:
        send_template(template, lead, by=by)
    assert not Message.objects.exists()
    assert not Event.objects.filter(name="message.queued").exists()
    return refusal.value


def test_whoever_may_not_use_the_template_may_not_send_it(account, user, lead, seller):
    private = EmailTemplateFactory(account=account, is_shared=False, created_by=user, body="Hello")

    with pytest.raises(NotAllowed, match="is not shared with you"):
        send_template(private, lead, by=seller)

    assert not Message.objects.exists()
    assert send_template(private, lead, by=None).state == "queued"


def test_another_plan_does_not_include_it(send, account, lead):
    Account.objects.filter(pk=account.pk).update(plan="professional")
    account.refresh_from_db()
    lead.account = account

    with pytest.raises(NotIncluded, match="need the plan Enterprise"):
        send()

    assert not Message.objects.exists()


def test_every_missing_variable_is_named(template, lead, seller):
    reworded(
        template, subject="{{ last_name }}", body="{{ lead.amount | times: 2 }} {{ city }} {{ job_title }}"
    )

    refusal = refused(template, lead, seller)

    assert refusal.rule == "variables_missing"
    assert str(refusal).startswith("The lead does not say last_name and lead.amount and city and job_title: ")


def test_a_fallback_is_no_missing_variable(template, lead, seller):
    reworded(template, subject='Hello {{ last_name | default: "there" }}')

    assert send_template(template, lead, by=seller).subject == "Hello there"


def test_a_lead_without_an_address_is_refused(account, template, mailbox, seller):
    lead = LeadFactory(account=account, owner=seller, description="nobody at nowhere")

    refusal = refused(template, lead, seller)

    assert refusal.rule == "address_missing"
    assert "write one into its description" in str(refusal)


def test_an_address_that_no_server_would_take_is_refused(account, template, mailbox, seller):
    contact = ContactFactory(account=account, email="jürgen@example.com")
    lead = LeadFactory(account=account, owner=seller, contact=contact)

    assert refused(template, lead, seller).rule == "address_missing"


def test_an_unassigned_lead_has_no_sender(template, lead, seller):
    Lead.objects.filter(pk=lead.pk).update(owner=None)
    lead.refresh_from_db()

    assert refused(template, lead, seller).rule == "unassigned"


def test_an_owner_without_a_mailbox_is_told_what_to_do(template, lead, seller, mailbox, user):
    delete_mailbox(mailbox, by=user)

    refusal = refused(template, lead, seller)

    assert refusal.rule == "mailbox_missing"
    assert "connect one under Mailboxes" in str(refusal)


def test_a_paused_mailbox_is_named_with_its_reason(template, lead, seller, mailbox, user):
    pause_mailbox(mailbox, by=user, reason="wrong password")

    refusal = refused(template, lead, seller)

    assert refusal.rule == "mailbox_missing"
    assert "zoe@example.org" in str(refusal)
    assert "(wrong password)" in str(refusal)


def test_the_mailbox_that_sends_is_taken_before_the_one_that_pauses(account, send, mailbox, user, seller):
    second = MailboxFactory(account=account, owner=seller)
    pause_mailbox(mailbox, by=user, reason="tired")

    assert send().mailbox == second


@pytest.mark.parametrize("value", [ADDRESS, "example.com"])
def test_the_blocklist_is_heeded(template, lead, seller, account, user, value):
    block(account, by=user, value=value)

    refusal = refused(template, lead, seller)

    assert refusal.rule == "barred"
    assert str(refusal) == f"{value} is on the blocklist; nothing is sent to {ADDRESS}"


def test_a_suspended_account_writes_nothing(send, account, user, lead):
    suspend(account, by=user)
    lead.account.refresh_from_db()

    with pytest.raises(Suspended):
        send()

    assert not Message.objects.exists()


def test_a_new_mailbox_is_owned_by_whoever_logs_in_with_its_address(account, user):
    person = UserFactory(account=account, email="zoe@example.net")

    mailbox = create_mailbox(account, by=user, email="Zoe@example.net", smtp={"host": "mail.example.net"})

    assert mailbox.owner == person
