"""The inbox: what is listed, what a thread shows, and what is done with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from crm.models import Lead
from outreach.models import Conversation, Message
from pipelime.accounts.models import Account
from tests.backoffice.rows import address
from tests.factories import (
    ContactFactory,
    ConversationFactory,
    IncomingFactory,
    LeadFactory,
    LinkedInAccountFactory,
    StepFactory,
)

NOON = datetime(2030, 3, 4, 12, tzinfo=UTC)
QUERIES = 6  # what one row of the list costs as well


@pytest.fixture
def talk(account) -> Conversation:
    talk = ConversationFactory(
        account=account, name="Ada", counterpart="ada@example.com", unread=1, mailbox__email="sam@example.com"
    )
    IncomingFactory(
        account=account, conversation=talk, from_name="Ada", at=NOON, text="<b>Tell</b> me more.",
        whole_text="<b>Tell</b> me more.\n> Dear Ada",
    )  # fmt: skip
    return talk


def listed(browser, **query) -> list[Conversation]:
    return list(browser.get(address(Conversation, "changelist"), query).context["cl"].result_list)


def press(browser, talk, name: str, query: str = "", **data):
    return browser.post(address(Conversation, "press", talk.pk, name) + query, data)


def test_the_list_is_what_is_open_the_newest_first(browser, account):
    old, new = (ConversationFactory(account=account, last_at=NOON + timedelta(n)) for n in range(2))
    closed = ConversationFactory(account=account, closed_at=NOON)

    assert listed(browser) == [new, old]
    assert listed(browser, box="closed") == [closed]
    assert len(listed(browser, box="all")) == 3


def test_the_list_is_narrowed(browser, account, user, seller):
    on_linkedin = {"mailbox": None, "linkedin_account": LinkedInAccountFactory(account=account)}
    mine = ConversationFactory(account=account, assignee=user, intent="meeting", last_at=NOON)
    theirs = ConversationFactory(account=account, assignee=seller, name="Zoe", unread=1, **on_linkedin)

    assert listed(browser, box="mine") == [mine]
    assert listed(browser, box="unassigned") == []
    assert listed(browser, box="unread") == [theirs]
    assert listed(browser, intent="meeting") == [mine]
    assert listed(browser, sender=f"mailbox-{mine.mailbox.pk}") == [mine]
    assert listed(browser, sender=f"linkedin-{theirs.linkedin_account.pk}") == [theirs]
    assert listed(browser, sender="mailbox-x") == [mine, theirs]
    assert listed(browser, q="zo") == [theirs]
    assert listed(browser, contact__id__exact=mine.contact.pk) == [mine]


def test_a_thread_shows_both_sides_as_text(browser, talk):
    page = browser.get(address(Conversation, "change", talk.pk)).content.decode()

    assert "&lt;b&gt;Tell&lt;/b&gt; me more." in page
    assert "<b>Tell</b>" not in page
    assert "With what it quotes" in page
    assert "Answer ada@example.com from sam@example.com" in page


def test_looking_changes_nothing_and_the_page_says_that_it_was_read(browser, talk):
    page = browser.get(address(Conversation, "change", talk.pk)).content.decode()
    before = Conversation.objects.get().unread

    answer = press(browser, talk, "read")

    assert f'hx-post="{address(Conversation, "press", talk.pk, "read")}"' in page
    assert (before, answer.status_code, Conversation.objects.get().unread) == (1, 204, 0)


def test_an_answer_is_sent_in_the_thread(browser, talk, user):
    press(browser, talk, "reply", text="Gladly.")

    message = Message.objects.get()
    page = browser.get(address(Conversation, "change", talk.pk)).content.decode()
    assert (message.state, message.created_by, message.to_address) == ("queued", user, "ada@example.com")
    assert "Gladly." in page


def test_a_refused_answer_is_not_lost(browser, talk):
    talk.mailbox.paused_at = NOON
    talk.mailbox.save()

    answer = press(browser, talk, "reply", text="A long letter.")

    assert answer.context["said"] == "A long letter."
    assert "is paused" in answer.context["refusal"]
    assert not Message.objects.exists()


def test_a_paused_mailbox_is_told_before_anything_is_written(browser, talk):
    talk.mailbox.paused_at = NOON
    talk.mailbox.save()

    page = browser.get(address(Conversation, "change", talk.pk))

    assert "is paused" in page.context["hindrance"]
    assert 'name="text"' not in page.content.decode()


def test_buttons_do_what_they_say_and_keep_the_list_as_it_was(browser, talk, seller):
    answer = press(browser, talk, "assign", "?box=mine", user=seller.pk)
    press(browser, talk, "intent", intent="meeting")
    press(browser, talk, "close")

    talk.refresh_from_db()
    assert answer.url == address(Conversation, "change", talk.pk) + "?box=mine"
    assert (talk.assignee, talk.intent, talk.closed_at is None) == (seller, "meeting", False)
    press(browser, talk, "reopen")
    press(browser, talk, "assign", user="")
    talk.refresh_from_db()
    assert (talk.assignee, talk.closed_at) == (None, None)


def test_a_stranger_is_given_nothing(browser, talk, stranger):
    answer = press(browser, talk, "assign", user=stranger.pk)

    assert answer.status_code == 403
    assert Conversation.objects.get().assignee is None


def test_a_lead_is_made_in_one_action_and_linked(browser, account, talk):
    StepFactory(account=account)

    press(browser, talk, "lead")

    lead = Lead.objects.get()
    page = browser.get(address(Conversation, "change", talk.pk)).content.decode()
    assert address(Lead, "change", lead.pk) in page
    assert address(Conversation, "press", talk.pk, "lead") not in page


def test_long_threads_are_read_page_by_page(browser, account, talk):
    for hour in range(31):
        IncomingFactory(
            account=account, conversation=talk, text=f"Answer {hour}", at=NOON + timedelta(hours=hour + 1)
        )

    last = browser.get(address(Conversation, "change", talk.pk), {"box": "all"})
    first = browser.get(
        address(Conversation, "change", talk.pk), {"box": "all", "before": last.context["older"]}
    )

    assert [entry.text for entry in last.context["entries"]] == [f"Answer {hour}" for hour in range(1, 31)]
    assert [entry.text for entry in first.context["entries"]] == ["<b>Tell</b> me more.", "Answer 0"]


def test_the_list_alone_is_asked_for_again_and_again(browser, talk):
    answer = browser.get(reverse("admin:outreach_conversation_list"), {"open": talk.pk})

    page = answer.content.decode()
    assert "<html" not in page
    assert 'aria-current="true"' in page


def test_the_sidebar_counts_what_waits_for_one_up_to_99(browser, account, seller):
    ConversationFactory.create_batch(2, account=account, unread=3)
    ConversationFactory(account=account, unread=1, assignee=seller)
    ConversationFactory(account=account, unread=0)

    assert badge(browser) == "2"
    ConversationFactory.create_batch(98, account=account, unread=1)
    assert badge(browser) == "99+"


def badge(browser) -> str:
    groups = browser.get(reverse("admin:index")).context["sidebar_navigation"]
    return next(item["badge"] for group in groups for item in group["items"] if item["title"] == "Inbox")


def test_a_conversation_of_a_hidden_lead_is_not_there(client, account, user, seller):
    Account.objects.update(lead_visibility=Account.Visibility.OWN)
    hidden = ConversationFactory(account=account, lead=LeadFactory(account=account, owner=user))
    client.force_login(seller)

    assert client.get(address(Conversation, "change", hidden.pk)).status_code == 404
    assert listed(client) == []


def test_contacts_and_leads_lead_to_their_conversations(browser, account):
    contact, lead = ContactFactory(account=account), LeadFactory(account=account)
    talks = address(Conversation, "changelist")

    for row, query in ((contact, f"contact__id__exact={contact.pk}"), (lead, f"lead__id__exact={lead.pk}")):
        page = browser.get(address(type(row), "change", row.pk)).content.decode()
        assert f"{talks}?box=all&amp;{query}" in page
        assert browser.get(f"{talks}?box=all&{query}").status_code == 200


def test_the_short_address_leads_there_after_login(browser, talk):
    assert browser.get(f"/conversations/{talk.pk}").url == address(Conversation, "change", talk.pk)


def test_a_list_costs_as_many_queries_for_many_as_for_one(browser, account, django_assert_num_queries):
    def ask() -> None:
        browser.get(reverse("admin:outreach_conversation_list"))

    ConversationFactory(account=account)
    ask()
    with django_assert_num_queries(QUERIES):
        ask()
    ConversationFactory.create_batch(15, account=account, assignee=None)

    with django_assert_num_queries(QUERIES):
        ask()
