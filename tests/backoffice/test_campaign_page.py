"""A campaign's page: writing it, starting it, adding people, looking at what they would get."""

from __future__ import annotations

import pytest

from crm.contacts import create_contact
from outreach.models import Campaign, Enrolment
from outreach.starters import STARTERS
from pipelime.events.models import Event
from tests import factories
from tests.backoffice.rows import address

BODY = "Hello {{ first_name }}"


@pytest.fixture
def mailbox(account):
    return factories.MailboxFactory(account=account)


def form(mailbox, *steps: dict, stored: int = 0, windows: list[dict] | None = None, **values) -> dict:
    """What the page posts when it has shown so many stored steps.

    A step holds its fields, and `variants` or the words of its only one.
    """
    data = {
        "name": "Spring", "mailboxes": [mailbox.pk], "time_zone": "Europe/Paris", "stop_on_reply": "on",
        **counted("steps", len(steps), stored),
    }  # fmt: skip
    hours = [{"days": ["mon", "tue"], "begins": "09:00", "ends": "17:00"}] if windows is None else windows
    data |= counted("windows", len(hours), min(stored, 1)) | rows("windows", hours)
    for number, step in enumerate(steps):
        words = {name: step[name] for name in ("subject", "body", "weight") if name in step}
        variants = step.get("variants", [words])
        prefix = f"steps-{number}-variants"
        data |= counted(prefix, len(variants), step.get("shown", min(stored, 1)))
        data |= rows(prefix, [{"weight": 1, **variant} for variant in variants])
        own = {name: value for name, value in step.items() if name not in {*words, "variants", "shown"}}
        data |= rows("steps", [{"channel": "email", **own}], first=number)
    return data | values


def counted(prefix: str, total: int, initial: int = 0) -> dict:
    return {f"{prefix}-TOTAL_FORMS": total, f"{prefix}-INITIAL_FORMS": initial}


def rows(prefix: str, given: list[dict], first: int = 0) -> dict:
    return {
        f"{prefix}-{number}-{name}": value
        for number, row in enumerate(given, first)
        for name, value in row.items()
    }


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
    answer = browser.post(
        address(Campaign, "add"), form(mailbox, windows=[{"days": ["mon"], "begins": "nine"}])
    )

    assert "is no time of day" in answer.context["form"].non_field_errors()[0]
    assert not Campaign.objects.exists()


def test_what_is_missing_is_listed_before_the_start(browser, mailbox):
    campaign = make(browser, mailbox)

    page = browser.get(address(Campaign, "change", campaign.pk))
    browser.post(address(Campaign, "press", campaign.pk, "start"))

    campaign.refresh_from_db()
    assert page.context["problems"] == ["It has no steps: write at least one."]
    assert campaign.status == "DRAFT"


def test_a_campaign_starts_pauses_and_goes_on(browser, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": BODY})
    statuses = []
    for button in ("start", "pause", "start"):
        browser.post(address(Campaign, "press", campaign.pk, button))
        campaign.refresh_from_db()
        statuses.append(campaign.status)

    assert statuses == ["STARTED", "PAUSED", "STARTED"]


def save(browser, campaign: Campaign, data: dict):
    return browser.post(address(Campaign, "press", campaign.pk, "save"), data, follow=True)


def test_variants_are_added_weighed_and_taken_away(browser, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": BODY})
    two = [{"subject": "Hi", "body": BODY}, {"subject": "Hey", "body": BODY, "weight": 3}, {"subject": ""}]

    save(browser, campaign, form(mailbox, {"variants": two}, stored=1))
    both = [(one["key"], one["subject"], one["weight"]) for one in campaign.steps.get().variants]
    two[0]["DELETE"] = "on"
    save(browser, campaign, form(mailbox, {"variants": two, "shown": 2}, stored=1))

    assert both == [("A", "Hi", 1), ("B", "Hey", 3)]
    assert [(one["key"], one["subject"]) for one in campaign.steps.get().variants] == [("A", "Hey")]


def test_steps_have_channels_and_conditions(browser, mailbox):
    campaign = make(
        browser,
        mailbox,
        {"channel": "linkedin_invitation"},
        {"channel": "linkedin_message", "condition": "connected", "business_days": 2, "body": "Thank you"},
        {"channel": "task", "hours": 4, "subject": "Look them up"},
        {},
    )

    assert list(
        campaign.steps.values_list("channel", "condition", "delay_business_days", "delay_hours")
    ) == [
        ("linkedin_invitation", "", 0, 0),
        ("linkedin_message", "connected", 2, 0),
        ("task", "", 0, 4),
    ]  # fmt: skip


def test_a_step_of_a_draft_is_deleted_and_that_of_a_begun_campaign_keeps_its_channel(browser, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": BODY}, {"body": "Once more"})

    save(browser, campaign, form(mailbox, {"subject": "Hi", "body": BODY}, {"DELETE": "on"}, stored=2))
    browser.post(address(Campaign, "press", campaign.pk, "start"))
    save(browser, campaign, form(mailbox, {"channel": "call", "subject": "Hello", "body": BODY}, stored=1))

    assert [(step.channel, step.subject) for step in campaign.steps.all()] == [("email", "Hello")]


def test_hours_may_differ_from_day_to_day(browser, mailbox):
    hours = [{"days": ["mon"], "begins": "09:00", "ends": "12:00"}, {"days": ["tue", "wed"]}, {"days": []}]
    browser.post(address(Campaign, "add"), form(mailbox, windows=hours, window_zone="contact", holidays="fr"))

    campaign = Campaign.objects.get()
    assert campaign.windows == [
        {"days": ["mon"], "from": "09:00", "to": "12:00"},
        {"days": ["tue", "wed"], "from": "00:00", "to": "24:00"},
    ]
    assert (campaign.window_zone, campaign.holidays) == ("contact", "FR")


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(browser, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": BODY})
    page = browser.get(address(Campaign, "change", campaign.pk))
    seen_at = page.context["form"]["seen_at"].value()
    save(browser, campaign, form(mailbox, {"subject": "First", "body": BODY}, stored=1, seen_at=seen_at))

    late = form(mailbox, {"subject": "Second", "body": BODY}, stored=1, seen_at=seen_at)
    answer = browser.post(address(Campaign, "press", campaign.pk, "save"), late)

    assert campaign.steps.get().subject == "First"
    assert answer.context["form"].non_field_errors()[0].startswith("Somebody else has changed this campaign")
    assert "Second" in answer.content.decode()


def test_a_page_saved_as_it_was_shown_changes_nothing(browser, account, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": BODY}, {"body": "Once more", "days": 3})
    campaign.refresh_from_db()
    before = Event.objects.count()

    same = form(mailbox, {"subject": "Hi", "body": BODY}, {"body": "Once more", "days": 3}, stored=2)
    save(browser, campaign, same | {"seen_at": campaign.updated_at.isoformat()})

    assert Event.objects.count() == before


@pytest.mark.parametrize("key", ["introduction", "linkedin-then-mail", "event-follow-up"])
def test_a_new_campaign_may_begin_with_a_starter(browser, key):
    page = browser.get(address(Campaign, "add"), {"template": key})

    assert page.context["form"]["name"].value() == STARTERS[key].name
    assert [form["channel"].value() for form in page.context["steps"]] == [
        step["channel"] for step in STARTERS[key].facts["steps"]
    ]


def test_a_campaign_is_copied_and_kept_as_a_template(browser, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": BODY})

    browser.post(address(Campaign, "press", campaign.pk, "clone"))
    browser.post(address(Campaign, "press", campaign.pk, "template"))
    template = Campaign.objects.templates().get()
    page = browser.get(address(Campaign, "add"), {"template": str(template.uid)})
    browser.post(address(Campaign, "template", template.uid))

    assert list(Campaign.objects.alive().values_list("name", flat=True)) == ["Spring (copy)", "Spring"]
    assert page.context["steps"].forms[0].variants.forms[0]["subject"].value() == "Hi"
    assert not Campaign.objects.templates().exists()


@pytest.mark.parametrize(
    ("before", "verb", "expected"),
    [
        ("waiting", {"verb": "pause"}, ("paused", 1)),
        ("paused", {"verb": "resume"}, ("waiting", 1)),
        ("held", {"verb": "release"}, ("waiting", 1)),
        ("waiting", {"verb": "remove"}, ("stopped", 1)),
        ("waiting", {"verb": "jump", "step": "2"}, ("waiting", 2)),
    ],
)
def test_a_contact_is_moved_from_the_campaign_s_page(browser, account, mailbox, before, verb, expected):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": BODY}, {"body": "Once more"})
    place = factories.EnrolmentFactory(account=account, campaign=campaign, state=before)

    page = browser.get(address(Campaign, "change", campaign.pk)).content.decode()
    browser.post(address(Campaign, "press", campaign.pk, "place"), {"place": place.pk, **verb})

    place.refresh_from_db()
    assert f'value="{verb["verb"]}"' in page
    assert (place.state, place.step_number) == expected


def test_a_contact_of_another_campaign_is_not_moved(browser, account, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": BODY})
    other = factories.EnrolmentFactory(account=account)

    browser.post(address(Campaign, "press", campaign.pk, "place"), {"place": other.pk, "verb": "remove"})

    other.refresh_from_db()
    assert other.state == "waiting"


def test_an_enrolment_s_own_page_and_list_move_it_as_well(browser, account, mailbox):
    campaign = make(browser, mailbox, {"subject": "Hi", "body": BODY}, {"body": "Once more"})
    place = factories.EnrolmentFactory(account=account, campaign=campaign)
    states = []

    page = browser.get(address(Enrolment, "change", place.pk)).content.decode()
    for button, data in (("pause", {}), ("resume", {}), ("jump", {"step": "2"}), ("remove", {})):
        browser.post(address(Enrolment, "press", place.pk, button), data)
        place.refresh_from_db()
        states.append((place.state, place.step_number))

    assert "2: E-mail" in page
    assert states == [("paused", 1), ("waiting", 1), ("waiting", 2), ("stopped", 2)]


def test_many_places_are_moved_at_once_and_refusals_are_told(browser, account):
    paused, waiting = (
        factories.EnrolmentFactory(account=account, state=one) for one in ("paused", "waiting")
    )

    answer = browser.post(
        address(Enrolment, "changelist"),
        {"action": "resume_all", "_selected_action": [paused.pk, waiting.pk]},
        follow=True,
    )

    paused.refresh_from_db()
    said = [str(message) for message in answer.context["messages"]]
    assert paused.state == "waiting"
    assert any("only a paused one can be resumed" in words for words in said)
    assert "1 resumed." in said


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
