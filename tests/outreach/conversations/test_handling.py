"""Giving conversations to people, closing them, and making leads of them."""

from __future__ import annotations

import pytest

from crm.leads import delete_lead
from crm.models import Comment, Contact, Field, Lead
from outreach.conversations import assign, close, file, make_lead, reopen, set_intent
from outreach.models import Conversation, Message
from pipelime.accounts.models import Account, Notice
from pipelime.errors import Invalid
from pipelime.events.models import Event
from tests.factories import (
    ConversationFactory,
    EnrolmentFactory,
    LeadFactory,
    LinkedInAccountFactory,
    MessageFactory,
    PipelineFactory,
    StepFactory,
    UserFactory,
)
from tests.threads import all_at_once

PROFILE = "https://www.linkedin.com/in/grace"


@pytest.fixture
def incoming_step(account):
    return StepFactory(account=account, name="Incoming", pipeline__is_default=True)


def facts() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("name", flat=True))


def test_whoever_is_given_a_conversation_is_told(answer, user, seller):
    conversation = file(answer())

    assign(conversation, seller, by=user)

    event = Event.objects.order_by("pk").last()
    notice = Notice.objects.get()
    assert Conversation.objects.get().assignee == seller
    assert (event.name, event.data["changes"]["assignee"][1]["name"]) == (
        "conversation.assigned",
        seller.name,
    )
    assert notice.to == seller.email
    assert f"/conversations/{conversation.pk}" in notice.text


def test_giving_it_to_the_same_person_or_to_nobody_twice_says_nothing(answer, user):
    conversation = file(answer())
    assign(conversation, None, by=user)
    assign(conversation, user, by=user)
    before = facts()

    assign(conversation, user, by=user)

    assert facts() == before
    assert not Notice.objects.exists()


def test_only_colleagues_who_can_log_in_are_given_work(answer, account, user, stranger):
    conversation = file(answer())
    left = UserFactory(account=account, first_name="Zoe", disabled_at="2030-01-01T00:00:00Z")

    for person in (stranger, left):
        with pytest.raises(Invalid) as refusal:
            assign(conversation, person, by=user)
        assert refusal.value.field == "assignee_id"


def test_closing_and_opening_are_facts_once(answer, user):
    conversation = file(answer())
    for verb in (close, close, reopen, reopen):
        verb(conversation, by=user)

    assert facts()[-2:] == ["conversation.closed", "conversation.reopened"]
    assert Conversation.objects.get().unread == 0


def test_an_intent_set_by_hand_reaches_the_campaign(account, answer, ada, user):
    enrolment = EnrolmentFactory(account=account, contact=ada)
    conversation = file(answer("Hm.", enrolment=enrolment))

    set_intent(conversation, "meeting", by=user)

    enrolment.refresh_from_db()
    event = Event.objects.filter(name="conversation.updated").get()
    assert (conversation.intent, conversation.intent_by_hand, enrolment.intent) == (
        "meeting",
        True,
        "meeting",
    )
    assert event.data["changes"] == {"intent": ["", "meeting"]}


def test_rules_guess_again_once_the_intent_is_cleared(answer, user):
    conversation = set_intent(file(answer()), "meeting", by=user)
    set_intent(conversation, "", by=user)

    assert file(answer("I am interested.")).intent == "interested"


def test_an_unknown_intent_is_refused(answer, user):
    with pytest.raises(Invalid, match="'perhaps' is not known; use interested, not_now"):
        set_intent(file(answer()), "perhaps", by=user)


def test_a_conversation_becomes_a_lead(answer, ada, user, incoming_step):
    conversation = file(answer("Tell me more."))

    lead = make_lead(conversation, by=user)

    assert (lead.title, lead.step, lead.owner) == ("Ada Lovelace: Re: Hello", incoming_step, user)
    assert (lead.contact, lead.created_from) == (ada, "inbox")
    assert lead.description == ("Firstname: Ada\nLastname: Lovelace\nEmail: ada@example.com\nJob: Countess")
    comment = Comment.objects.get()
    assert (comment.lead, comment.author) == (lead, user)
    assert comment.content == "2030-03-04 12:00 Ada:\nTell me more."
    assert Conversation.objects.get().lead == lead
    event = Event.objects.order_by("pk").last()
    assert (event.name, event.parent_type, event.parent_id) == ("conversation.updated", "lead", lead.pk)


def test_the_description_uses_the_account_s_own_names_of_fields(account, answer, user, incoming_step):
    Field.objects.create(
        account=account, kind="lead", name="E-Mail", key="e_mail", meaning="email", type="email"
    )

    assert "E-Mail: ada@example.com" in make_lead(file(answer()), by=user).description


def test_asking_twice_gives_the_same_lead_until_it_is_deleted(answer, user, incoming_step):
    conversation = file(answer())
    first = make_lead(conversation, by=user)
    again = make_lead(Conversation.objects.get(), by=user)
    delete_lead(first, by=user)

    anew = make_lead(Conversation.objects.get(), by=user)

    assert again == first
    assert anew != first
    assert Lead.objects.count() == 2


def test_somebody_unknown_becomes_a_contact_by_address(answer, user, incoming_step):
    conversation = file(answer(contact=None, from_address="zoe@example.com", from_name="Zoë Alaoui"))

    lead = make_lead(conversation, by=user)

    assert (lead.contact.email, lead.contact.name) == ("zoe@example.com", "Zoë Alaoui")
    assert Conversation.objects.get().contact == lead.contact


def test_somebody_unknown_on_linkedin_becomes_a_contact_by_profile(account, user, incoming_step):
    conversation = ConversationFactory(
        account=account, mailbox=None, linkedin_account=LinkedInAccountFactory(account=account),
        counterpart=PROFILE, name="Grace Hopper", contact=None,
    )  # fmt: skip

    lead = make_lead(conversation, by=user)

    assert lead.contact == Contact.objects.get(linkedin_url=PROFILE)
    assert lead.contact.name == "Grace Hopper"
    assert lead.description == f"Firstname: Grace\nLastname: Hopper\nLinkedIn: {PROFILE}"


def test_another_pipeline_can_be_chosen(account, answer, user, incoming_step):
    pipeline = PipelineFactory(account=account)
    StepFactory(account=account, pipeline=pipeline, position=2)
    first = StepFactory(account=account, pipeline=pipeline, position=1)

    assert make_lead(file(answer()), by=user, pipeline=pipeline).step == first


def test_what_a_program_asks_for_is_the_assignee_s(answer, seller, user, incoming_step):
    conversation = assign(file(answer()), seller, by=user)

    assert make_lead(conversation, by=None).owner == seller


def test_a_conversation_is_everybody_s_until_it_is_a_lead(account, user, seller):
    Account.objects.update(lead_visibility=Account.Visibility.OWN)
    seller.account.refresh_from_db()
    free = ConversationFactory(account=account)
    foreign = ConversationFactory(account=account, lead=LeadFactory(account=account, owner=user))
    given = ConversationFactory(
        account=account, lead=LeadFactory(account=account, owner=user), assignee=seller
    )

    seen = Conversation.objects.visible_to(seller).order_by("pk")

    assert list(seen) == [free, given]
    assert Conversation.objects.visible_to(user).count() == 3
    assert foreign not in seen


def test_answers_are_seen_by_those_who_see_the_conversation(account, user, seller):
    Account.objects.update(lead_visibility=Account.Visibility.OWN)
    seller.account.refresh_from_db()
    free = ConversationFactory(account=account)
    foreign = ConversationFactory(account=account, lead=LeadFactory(account=account, owner=user))
    shown, _ = (MessageFactory(account=account, frozen={}, conversation=one) for one in (free, foreign))

    assert list(Message.objects.visible_to(seller)) == [shown]


@pytest.mark.django_db(transaction=True)
def test_asking_twice_at_once_makes_one_lead(account, answer, user, incoming_step):
    conversation = file(answer())

    leads = all_at_once(
        [lambda: make_lead(Conversation.objects.get(pk=conversation.pk), by=user)] * 2, account=account
    )

    assert leads[0] == leads[1]
    assert Lead.objects.count() == 1
