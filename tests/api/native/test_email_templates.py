"""E-mail templates over the native API, and writing to a lead with one."""

import pytest

from outreach.models import EmailTemplate, Message
from tests.factories import ContactFactory, EmailTemplateFactory, LeadFactory, MailboxFactory, UserFactory

WORDS = {"name": "Offer", "subject": "Hello {{ first_name }}", "body": "About {{ lead.title }}."}


@pytest.fixture
def lead(account, user):
    MailboxFactory(account=account, owner=user, email="zoe@example.org")
    contact = ContactFactory(account=account, first_name="Ada", email="ada@example.com")
    return LeadFactory(account=account, owner=user, contact=contact, title="Loretta Inc.")


@pytest.fixture
def seller_in_browser(client, seller):
    client.force_login(seller)
    return client


def test_a_template_is_made_read_changed_and_deleted(native, account):
    person = UserFactory(account=account)

    made = native.post("/api/email-templates", WORDS | {"user_ids": [str(person.uid)]}, format="json")
    address = f"/api/email-templates/{made.json()['id']}"
    read = native.get(address).json()
    changed = native.patch(address, {"is_shared": False, "user_ids": []}, format="json").json()
    listed = native.get("/api/email-templates?name=off").json()["data"]
    deleted = native.delete(address)

    assert made.status_code == 201
    assert read == made.json()
    assert {name: read[name] for name in WORDS} == WORDS
    assert ([one["id"] for one in read["users"]], read["is_shared"]) == ([str(person.uid)], True)
    assert (changed["users"], changed["is_shared"]) == ([], False)
    assert [one["id"] for one in listed] == [read["id"]]
    assert deleted.status_code == 204
    assert not EmailTemplate.objects.exists()


def test_broken_liquid_is_a_422_that_names_the_field_and_the_fault(native):
    answer = native.post("/api/email-templates", WORDS | {"subject": "{{ fist_name }}"}, format="json")

    assert answer.status_code == 422
    assert answer.json()["error"]["details"] == {
        "subject": ["unknown variable fist_name: did you mean first_name?"]
    }


def test_a_lead_is_written_to(native, account, lead):
    template = EmailTemplateFactory(account=account, **WORDS)

    answer = native.post(
        f"/api/leads/{lead.uid}/send-template", {"template": str(template.uid)}, format="json"
    )

    assert answer.status_code == 202
    body = answer.json()
    assert (body["status"], body["to"], body["from"], body["subject"]) == (
        "queued", "ada@example.com", "zoe@example.org", "Hello Ada",
    )  # fmt: skip
    assert native.get(f"/api/messages/{body['id']}").json() == body


def test_an_idempotency_key_makes_one_mail_of_two_requests(native, account, lead):
    template = EmailTemplateFactory(account=account, **WORDS)

    answers = [
        native.post(
            f"/api/leads/{lead.uid}/send-template",
            {"template": str(template.uid)},
            format="json",
            headers={"Idempotency-Key": "once"},
        )
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert Message.objects.count() == 1


def test_a_refusal_says_what_is_missing(native, account, lead):
    template = EmailTemplateFactory(account=account, **WORDS | {"body": "{{ city }}"})

    answer = native.post(
        f"/api/leads/{lead.uid}/send-template", {"template": str(template.uid)}, format="json"
    )

    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith("template: The lead does not say city: ")
    assert not Message.objects.exists()


def test_the_preview_shows_the_mail_and_sends_nothing(native, account, lead):
    template = EmailTemplateFactory(account=account, **WORDS)

    answer = native.get(f"/api/email-templates/{template.uid}/preview?lead_id={lead.uid}")

    assert answer.json() == {
        "subject": "Hello Ada", "text": "About Loretta Inc..", "html": None, "from": "zoe@example.org",
        "to": "ada@example.com", "problems": [],
    }  # fmt: skip
    assert not Message.objects.exists()


def test_a_private_template_is_not_there_for_others(seller_in_browser, account, user, lead):
    private = EmailTemplateFactory(account=account, created_by=user, is_shared=False)

    answers = [
        seller_in_browser.get("/api/email-templates"),
        seller_in_browser.get(f"/api/email-templates/{private.uid}"),
        seller_in_browser.post(
            f"/api/leads/{lead.uid}/send-template",
            {"template": str(private.uid)},
            content_type="application/json",
        ),
    ]

    assert answers[0].json()["data"] == []
    assert [answer.status_code for answer in answers[1:]] == [404, 403]
    assert not Message.objects.exists()


def test_a_lead_that_one_may_not_see_is_not_written_to(seller_in_browser, account, lead):
    template = EmailTemplateFactory(account=account, **WORDS)
    account.lead_visibility = "own"
    account.save()

    sent = seller_in_browser.post(
        f"/api/leads/{lead.uid}/send-template",
        {"template": str(template.uid)},
        content_type="application/json",
    )
    shown = seller_in_browser.get(f"/api/email-templates/{template.uid}/preview?lead_id={lead.uid}")

    assert (sent.status_code, shown.status_code) == (404, 422)
    assert not Message.objects.exists()


def test_mail_to_a_lead_is_listed_for_those_who_see_the_lead(native, client, account, lead):
    template = EmailTemplateFactory(account=account, **WORDS)
    native.post(f"/api/leads/{lead.uid}/send-template", {"template": str(template.uid)}, format="json")
    account.lead_visibility = "own"
    account.save()
    client.force_login(UserFactory(account=account, is_admin=False))

    [mail] = native.get(f"/api/messages?lead={lead.uid}").json()["data"]
    hidden = client.get("/api/messages").json()["data"]

    assert (mail["lead_id"], mail["template"], mail["step"]) == (str(lead.uid), "Offer", 0)
    assert mail["campaign"] == {"id": None, "name": ""}
    assert hidden == []


def test_a_mailbox_is_given_an_owner_and_none(native, account, seller):
    mailbox = MailboxFactory(account=account)

    given = native.patch(f"/api/email-accounts/{mailbox.uid}", {"owner_id": str(seller.uid)}, format="json")
    taken = native.patch(f"/api/email-accounts/{mailbox.uid}", {"owner_id": None}, format="json")

    assert (given.json()["owner"]["id"], taken.json()["owner"]) == (str(seller.uid), None)
