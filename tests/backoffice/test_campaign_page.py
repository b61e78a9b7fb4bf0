"""A campaign's page: writing it, starting it, adding people, looking at what they would get."""

from __future__ import annotations

import pytest

from crm.contacts import create_contact
from outreach.models import Campaign, Enrolment
from tests import factories
from tests.backoffice.rows import address

BODY = "Hello {{ first_name }}"


@pytest.fixture
def mailbox(account):
    return factories.MailboxFactory(account=account)


def form(mailbox, *steps: dict, **values) -> dict:
    data = {
        "name": "Spring", "mailboxes": [mailbox.pk], "time_zone": "Europe/Paris", "days": ["mon", "tue"],
        "begins": "09:00", "ends": "17:00", "stop_on_reply": "on", "steps-TOTAL_FORMS": len(steps),
        "steps-INITIAL_FORMS": 0,
    }  # fmt: skip
    for number, step in enumerate(steps):
        data |= {f"steps-{number}-{name}": value for name, value in step.items()}
    return data | values


def make(browser, mailbox, *steps: dict) -> Campaign:
    browser.post(address(Campaign, "add"), form(mailbox, *steps))
    return Campaign.objects.get()


def test_a_campaign_is_made_with_its_steps_and_hours(browser, account, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": BODY}, {"body": "Once more", "days": 3})

    assert campaign.windows == [{"days": ["mon", "tue"], "from": "09:00", "to": "17:00"}]
    assert [(step.subject, step.body, step.delay_days) for step in campaign.steps.all()] == [
        ("Hi", BODY, 0), ("", "Once more", 3),
    ]  # fmt: skip
    assert list(campaign.mailboxes.all()) == [mailbox]


def test_a_wrong_hour_is_told_in_the_form(browser, mailbox):
    answer = browser.post(address(Campaign, "add"), form(mailbox, begins="nine"))

    assert "is no time of day" in answer.context["form"].non_field_errors()[0]
    assert not Campaign.objects.exists()


def test_what_is_missing_is_listed_before_the_start(browser, mailbox):
    campaign = make(browser, mailbox)

    page = browser.get(address(Campaign, "change", campaign.pk))
    browser.post(address(Campaign, "press", campaign.pk, "start"))

    campaign.refresh_from_db()
    assert page.context["problems"] == ["It has no steps: write at least one e-mail."]
    assert campaign.status == "DRAFT"


def test_a_campaign_starts_pauses_and_goes_on(browser, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": BODY})
    statuses = []
    for button in ("start", "pause", "start"):
        browser.post(address(Campaign, "press", campaign.pk, button))
        campaign.refresh_from_db()
        statuses.append(campaign.status)

    assert statuses == ["STARTED", "PAUSED", "STARTED"]


def test_saving_changes_words_and_keeps_further_variants(browser, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": BODY})
    step = campaign.steps.get()
    step.variants = [*step.variants, {"key": "B", "weight": 2, "subject": "Hey", "body": BODY}]
    step.save()

    changed = form(mailbox, {"subject": "Good morning", "body": BODY}, **{"steps-INITIAL_FORMS": 1})
    browser.post(address(Campaign, "press", campaign.pk, "save"), changed)

    step.refresh_from_db()
    assert [(variant["subject"], variant["weight"]) for variant in step.variants] == [
        ("Good morning", 1),
        ("Hey", 2),
    ]


def test_people_are_added_by_a_tag_and_who_is_left_out_is_told(browser, account, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": BODY})
    chosen = create_contact(account, by=None, email="ada@example.com", tags=["warm"])
    create_contact(account, by=None, first_name="Bob", tags=["warm"])
    create_contact(account, by=None, email="cy@example.com")

    answer = browser.post(
        address(Campaign, "press", campaign.pk, "add"),
        {"source": "tag", "tag": chosen.tags.get().pk},
        follow=True,
    )

    assert [row.contact_id for row in Enrolment.objects.all()] == [chosen.pk]
    assert [str(message) for message in answer.context["messages"]] == [
        "Left out: 1 that have no e-mail address.", "Contacts added: 1.",
    ]  # fmt: skip


def test_the_preview_is_the_mail_of_the_chosen_contact(browser, account, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi {{ first_name }}", "body": BODY})
    create_contact(account, by=None, email="ada@example.com", first_name="Ada")

    answer = browser.get(address(Campaign, "preview", campaign.pk), {"who": "Ada@Example.com", "step": 1})

    assert answer.context["mail"]["subject"] == "Hi Ada"
    assert "Hello Ada" in answer.content.decode()


def test_the_preview_says_what_stands_in_the_way(browser, account, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": "You at {{ company }}"})
    create_contact(account, by=None, email="ada@example.com")

    answer = browser.get(address(Campaign, "preview", campaign.pk), {"who": "ada@example.com"})

    assert "company" in answer.context["mail"]["problems"][0]
