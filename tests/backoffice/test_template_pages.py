"""The pages of e-mail templates: writing one, seeing what a lead would get, and sending it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from outreach.models import EmailTemplate, Message
from outreach.template_mail import send_template
from pipelime.accounts.operators import make_operator
from tests.backoffice.rows import address
from tests.factories import ContactFactory, EmailTemplateFactory, LeadFactory, MailboxFactory

WORDS = {"name": "Offer", "subject": "Hello {{ first_name }}", "body": "About {{ lead.title }}."}
SEND = reverse("admin:outreach_emailtemplate_send")


@pytest.fixture
def lead(account, user):
    MailboxFactory(account=account, owner=user, email="zoe@example.org")
    contact = ContactFactory(account=account, first_name="Ada", email="ada@example.com")
    return LeadFactory(account=account, owner=user, contact=contact, title="Loretta Inc.")


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_a_template_is_written_in_the_browser(browser, user, seller):
    browser.post(address(EmailTemplate, "add"), WORDS | {"users": [seller.pk]})

    template = EmailTemplate.objects.get()
    assert (template.name, template.created_by, template.is_shared) == ("Offer", user, False)
    assert list(template.users.all()) == [seller]


def test_a_fault_stands_at_its_field(browser):
    answer = browser.post(address(EmailTemplate, "add"), WORDS | {"subject": "{{ fist_name }}"})

    assert answer.context["adminform"].form.errors["subject"] == [
        "unknown variable fist_name: did you mean first_name?"
    ]
    assert not EmailTemplate.objects.exists()


def test_the_page_shows_the_mail_before_it_goes(browser, account, lead):
    template = EmailTemplateFactory(account=account, **WORDS)

    answer = browser.get(SEND, {"lead": lead.pk, "template": template.pk})

    page = answer.content.decode()
    assert "Hello Ada" in page
    assert "Send it to ada@example.com" in page
    assert not Message.objects.exists()


def test_a_press_sends_it_and_leads_back_to_the_lead(browser, account, lead):
    template = EmailTemplateFactory(account=account, **WORDS)

    answer = browser.post(SEND, {"lead": lead.pk, "template": template.pk}, follow=True)

    assert Message.objects.get().subject == "Hello Ada"
    assert said(answer) == ["Offer goes to ada@example.com from zoe@example.org."]
    assert answer.request["PATH_INFO"] == reverse("admin:crm_lead_change", args=[lead.pk])


def test_a_refusal_is_said_and_nothing_is_sent(browser, account, lead):
    template = EmailTemplateFactory(account=account, **WORDS | {"body": "{{ city }}"})

    shown = browser.get(SEND, {"lead": lead.pk, "template": template.pk})
    answer = browser.post(SEND, {"lead": lead.pk, "template": template.pk}, follow=True)

    assert "This mail cannot be sent" in shown.content.decode()
    assert said(answer)[0].startswith("The lead does not say city")
    assert not Message.objects.exists()


def test_the_page_asks_for_what_was_not_given(browser, account, lead):
    EmailTemplateFactory(account=account, **WORDS)

    answer = browser.get(SEND)

    assert answer.status_code == 200
    assert "Loretta Inc." in answer.content.decode()


@pytest.mark.parametrize("number", ["x", "0", "999999999999999999999", "424242"])
def test_an_unknown_lead_or_template_is_a_404(browser, number):
    assert browser.get(SEND, {"lead": number}).status_code == 404
    assert browser.get(SEND, {"template": number}).status_code == 404


def test_others_use_a_shared_template_and_do_not_change_it(client, account, user, seller, lead):
    template = EmailTemplateFactory(account=account, created_by=user, **WORDS)
    private = EmailTemplateFactory(account=account, created_by=user, is_shared=False)
    client.force_login(seller)

    changed = client.post(address(EmailTemplate, "change", template.pk), WORDS | {"name": "Mine"})
    deleted = client.post(address(EmailTemplate, "delete", template.pk), {"post": "yes"})
    listed = client.get(address(EmailTemplate, "changelist")).content.decode()
    foreign = client.get(SEND, {"template": private.pk})

    assert (changed.status_code, deleted.status_code, foreign.status_code) == (403, 403, 404)
    assert "Offer" in listed
    assert private.name not in listed
    template.refresh_from_db()
    assert template.name == "Offer"


def test_an_operator_sees_the_templates_and_mails_of_the_open_account(client, account, lead, user):
    private = EmailTemplateFactory(account=account, created_by=user, is_shared=False, **WORDS)
    send_template(private, lead, by=user)
    operator = make_operator(email="root@example.net", password="correct horse battery staple")
    client.force_login(operator)
    session = client.session
    session["operator_account"] = account.pk
    session.save()

    templates = client.get(address(EmailTemplate, "changelist")).content.decode()
    mails = client.get(address(Message, "changelist")).content.decode()

    assert "Offer" in templates
    assert "Hello Ada" in mails
