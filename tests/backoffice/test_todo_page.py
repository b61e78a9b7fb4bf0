"""The page of what campaigns ask of people, and the pages of LinkedIn accounts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from outreach.linkedin.hooks import hook_url
from outreach.models import Enrolment, LinkedInAccount, Message
from tests.factories import (
    CampaignFactory,
    ContactFactory,
    EnrolmentFactory,
    LinkedInAccountFactory,
    MessageFactory,
    SequenceStepFactory,
    UserFactory,
)

GRACE = "https://www.linkedin.com/in/grace"
TODO = "/admin/to-do/"


@pytest.fixture
def task(account, user):
    def make(channel: str = "linkedin_invitation", **values):
        campaign = CampaignFactory(account=account)
        words = [{"key": "A", "weight": 1, "subject": "", "body": "Hello {{ first_name }} <3"}]
        SequenceStepFactory(account=account, campaign=campaign, channel=channel, variants=words)
        contact = ContactFactory(account=account, first_name="Grace", linkedin_url=GRACE, phone="+1 555")
        place = EnrolmentFactory(account=account, campaign=campaign, contact=contact, state="in_flight")
        facts = {"state": "todo", "mailbox": None, "assignee": user, "from_address": "", "to_name": "Grace"}
        return MessageFactory(account=account, enrolment=place, channel=channel, **facts | values)

    return make


def press(browser, message: Message, verb: str, **said: str):
    return browser.post(reverse("admin:outreach_todo_press", args=[message.pk, verb]), said, follow=True)


def test_a_card_has_the_words_and_the_profile_one_click_away(browser, task):
    task()

    page = browser.get(TODO).content.decode()

    assert "Hello Grace &lt;3" in page
    assert f'href="{GRACE}" target="_blank" rel="noopener noreferrer"' in page
    assert "LinkedIn invitations" in page


def test_mine_are_shown_first_and_everybody_s_on_demand(browser, account, task):
    task(assignee=UserFactory(account=account))

    assert "Hello Grace" not in browser.get(TODO).content.decode()
    assert "Hello Grace" in browser.get(f"{TODO}?who=all").content.decode()


def test_what_is_due_later_is_counted_and_not_shown(browser, task):
    task(due_at=timezone.now() + timedelta(hours=1))

    page = browser.get(TODO).content.decode()

    assert "Hello Grace" not in page
    assert "1 is planned for later" in page


def test_done_is_pressed_once_and_the_second_press_is_told(browser, task):
    message = task()

    assert "Done: Grace." in press(browser, message, "done").content.decode()
    assert "This task is done already" in press(browser, message, "done").content.decode()

    assert Message.objects.get().state == "sent"


def test_a_call_ends_with_an_outcome_and_a_note(browser, task):
    message = task("call")

    press(browser, message, "done", outcome="voicemail", note="Again on Monday")

    message.refresh_from_db()
    assert (message.state, message.outcome, message.text) == ("sent", "voicemail", "Again on Monday")


def test_a_task_is_skipped(browser, task):
    message = task("task")

    press(browser, message, "skip", note="not needed")

    message.refresh_from_db()
    assert (message.state, message.last_error) == ("skipped", "not needed")


def test_an_invitation_waits_to_be_accepted_until_somebody_says_so(browser, task):
    message = task()
    press(browser, message, "done")

    assert "Waiting to be accepted" in browser.get(TODO).content.decode()
    press(browser, message, "accepted")

    assert Enrolment.objects.get().connected_at is not None
    assert "Waiting to be accepted" not in browser.get(TODO).content.decode()


def test_looking_presses_nothing(browser, task):
    message = task()

    assert browser.get(reverse("admin:outreach_todo_press", args=[message.pk, "done"])).status_code == 403
    assert browser.post(reverse("admin:outreach_todo_press", args=[message.pk, "shred"])).status_code == 404

    assert Message.objects.get().state == "todo"


def test_a_foreign_task_is_not_there(browser, stranger):
    theirs = MessageFactory(account=stranger.account, state="todo", channel="task")

    assert press(browser, theirs, "done").status_code == 404
    assert Message._base_manager.get(pk=theirs.pk).state == "todo"


def test_a_page_of_tasks_costs_the_same_however_many_there_are(browser, task, django_assert_max_num_queries):
    task()
    browser.get(TODO)
    for _ in range(5):
        task()

    with django_assert_max_num_queries(25):
        browser.get(TODO)


def test_a_linkedin_account_is_connected_in_the_browser(browser, account, user):
    add = reverse("admin:outreach_linkedinaccount_add")
    facts = {"name": "Ada", "profile_url": "linkedin.com/in/ada", "daily_limit": "20", "provider": ""}

    browser.post(add, facts)

    row = LinkedInAccount.objects.get()
    assert (row.name, row.profile_url, row.owner) == ("Ada", "https://www.linkedin.com/in/ada", user)


def test_a_mistake_in_the_provider_stands_beside_its_field(browser):
    add = reverse("admin:outreach_linkedinaccount_add")
    facts = {
        "name": "Ada", "profile_url": "linkedin.com/in/ada", "daily_limit": "20", "provider": "unipile",
        "provider_url": "http://example.com", "provider_account": "a", "provider_key": "s3cret",
    }  # fmt: skip

    answer = browser.post(add, facts)

    assert answer.context["adminform"].form.errors["provider_url"]
    assert b"s3cret" not in answer.content
    assert LinkedInAccount.objects.count() == 0


def test_a_key_is_kept_when_the_form_leaves_it_empty_and_never_shown(browser, account):
    row = LinkedInAccountFactory(
        account=account, provider="unipile", provider_url="https://api1.unipile.com:13111",
        provider_account="a", provider_key="s3cret", hook_key="hook",
    )  # fmt: skip
    change = reverse("admin:outreach_linkedinaccount_change", args=[row.pk])
    shown = browser.get(change).content

    browser.post(change, {
        "name": "Renamed", "profile_url": row.profile_url, "daily_limit": "20", "provider": "unipile",
        "provider_url": row.provider_url, "provider_account": "b", "provider_key": "",
    })  # fmt: skip

    row.refresh_from_db()
    assert b"s3cret" not in shown
    assert hook_url(row).encode() not in shown
    assert (row.name, row.provider_account, row.provider_key) == ("Renamed", "b", "s3cret")


def test_the_address_for_webhooks_is_shown_on_demand(browser, account):
    row = LinkedInAccountFactory(account=account, provider="unipile", hook_key="hook")
    path = reverse("admin:outreach_linkedinaccount_press", args=[row.pk, "show_hook"])

    answer = browser.post(path)

    assert hook_url(row) in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
