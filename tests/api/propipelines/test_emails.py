"""Mail to a lead from a template."""

from __future__ import annotations

import pytest

from crm.leads import assign_lead, create_lead
from outreach.models import EmailTemplate, Message
from pipelime.accounts.models import Account
from tests.factories import MailboxFactory


@pytest.fixture
def lead(furnished, user):
    MailboxFactory(account=furnished, owner=user)
    return create_lead(
        furnished, by=user, title="Acme", description="Firstname: John\nEmail: john@acme.example", owner=user
    )


@pytest.fixture
def template(furnished):
    return EmailTemplate.objects.create(
        account=furnished, name="Hello", subject="Hello {{ first_name }}", body="Dear {{ first_name }}"
    )


def sent(client, lead, **body):
    path = f"/api/v2/leads/{lead.pk}/emails/send_email_from_template"
    return client.post(path, body, format="json")


def test_a_template_is_sent(program, lead, template):
    answer = sent(program, lead, email_template_id=template.pk)

    message = Message.objects.get()
    assert (answer.status_code, answer.json()) == (200, {"message": "Sending email..."})
    assert (message.to_address, message.subject) == ("john@acme.example", "Hello John")


def test_a_template_must_be_named_and_there(program, lead, template):
    unnamed, unknown = sent(program, lead), sent(program, lead, email_template_id=987654321)

    assert (unnamed.status_code, unnamed.json()["message"]) == (
        422, "Missing required parameter: email_template_id",
    )  # fmt: skip
    assert unknown.status_code == 404


def test_a_person_sends_what_is_shared_with_them(logged_in, lead, template, seller):
    EmailTemplate.objects.update(is_shared=False)

    answer = sent(logged_in(seller), lead, email_template_id=template.pk)

    told = "Unauthorized: the user has not the privileges to do this action."
    assert (answer.status_code, answer.json()["message"]) == (401, told)
    assert not Message.objects.exists()


def test_another_edition_does_not_send(program, furnished, lead, template):
    furnished.plan = Account.Plan.PROFESSIONAL
    furnished.save()

    answer = sent(program, lead, email_template_id=template.pk)

    assert (answer.status_code, answer.json()["message"]) == (403, "Cannot access this feature.")


def test_what_keeps_a_mail_from_leaving_is_told(program, furnished, user, lead, template):
    blank = create_lead(furnished, by=user, title="Nothing known", owner=user)
    nameless = create_lead(furnished, by=user, title="T", description="Email: x@y.example", owner=user)
    assign_lead(lead, None, by=user)

    answers = [sent(program, each, email_template_id=template.pk) for each in (blank, nameless, lead)]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert "first_name" in answers[1].json()["message"]
    assert "assign" in answers[2].json()["message"]
    assert not Message.objects.exists()


def test_a_lead_out_of_sight_gets_no_mail(logged_in, furnished, seller, lead, template):
    furnished.lead_visibility = "own"
    furnished.save()

    assert sent(logged_in(seller), lead, email_template_id=template.pk).status_code == 404
