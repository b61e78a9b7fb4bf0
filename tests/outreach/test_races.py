"""What happens when a claim, a plan and a person meet at the same rows at the same moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from crm.contacts import delete_contact
from crm.models import Contact
from outreach.blocking import suppress
from outreach.campaigns import create_campaign, delete_campaign, pause_campaign, update_campaign
from outreach.claiming import claim_batch, return_to_queue
from outreach.committing import mark_sending
from outreach.enrolling import enrol
from outreach.enrolments import pause_enrolment, remove_enrolment, resume_enrolment, stop
from outreach.mailboxes import delete_mailbox, pause_mailbox
from outreach.models import Campaign, CapCounter, EmailAccount, Enrolment, Message
from outreach.outcomes import defer
from outreach.planning import plan_account
from outreach.sending import send_batch
from outreach.settling import expire_sending, mark_ambiguous, mark_sent, settle
from pipelime.accounts.settings import suspend
from pipelime.errors import Invalid
from pipelime.scope import every_account
from tests.factories import ContactFactory, MailboxFactory
from tests.outreach.overlapping import overlap
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)
only_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer: there is nobody beside a transaction"
)


def claim(limit: int = 100):
    with every_account():
        return claim_batch(timezone.now() + timedelta(seconds=1), limit)


def plan(account) -> int:
    return plan_account(account.pk, timezone.now())


def states(model) -> list[str]:
    return sorted(model.objects.values_list("state", flat=True))


@pytest.mark.parametrize(
    "give_up",
    [
        lambda campaign, user: pause_campaign(campaign, by=user),
        lambda campaign, user: delete_mailbox(EmailAccount.objects.get(), by=user),
        lambda campaign, user: stop(Enrolment.objects.all(), reason="a test"),
        lambda campaign, user: pause_enrolment(Enrolment.objects.get(), by=user),
        lambda campaign, user: remove_enrolment(Enrolment.objects.get(), by=user),
        lambda campaign, user: delete_contact(Contact.objects.get(), by=user),
        lambda campaign, user: suspend(campaign.account, by=user),
    ],
    ids=["pause", "delete_mailbox", "stop", "pause_place", "remove_place", "delete_contact", "suspend"],
)
def test_what_is_being_claimed_is_taken_back_too(account, user, campaign, started, give_up, sink):
    started()
    plan(account)

    batch, _ = overlap(account, claim, lambda: give_up(campaign, user))
    sent = send_batch(batch)

    assert sent == 0
    assert states(Message) == ["cancelled"]
    assert sink.arrivals == []
    assert CapCounter.objects.get().used == 0


@pytest.mark.parametrize(
    "give_up",
    [
        lambda campaign, user: delete_campaign(campaign, by=user),
        lambda campaign, user: stop(Enrolment.objects.all(), reason="a test"),
        lambda campaign, user: pause_enrolment(Enrolment.objects.get(), by=user),
    ],
    ids=["delete", "stop", "pause_place"],
)
def test_what_is_being_planned_is_taken_back_too(account, user, campaign, started, give_up):
    started()

    overlap(account, lambda: plan(account), lambda: give_up(campaign, user))

    assert states(Message) == ["cancelled"]
    assert claim() is None


@pytest.mark.parametrize(
    "give_up",
    [
        lambda contact, user: delete_contact(contact, by=user),
        lambda contact, user: suppress(
            contact.account_id, contact.email, cause="unsubscribed", source="a test"
        ),
    ],
    ids=["delete_contact", "suppress"],
)
def test_a_plan_leaves_those_alone_who_are_being_stopped(account, user, started, give_up):
    [contact] = started()

    overlap(account, lambda: give_up(contact, user), lambda: plan(account))

    assert states(Message) == []
    assert states(Enrolment) == ["stopped"]


def test_a_mail_put_back_after_its_place_was_paused_waits_for_the_person(account, user, started):
    """It was on the wire when somebody paused the place; then the server put it off."""
    started()
    plan(account)
    [message] = claim().messages
    mark_sending(message)
    place = pause_enrolment(Enrolment.objects.get(), by=user)

    defer(message, "451 try later")
    Message.objects.update(due_at=timezone.now())
    sent = send_batch(claim())
    resume_enrolment(place, by=user)

    assert sent == 0
    assert states(Message) == ["cancelled"]
    assert states(Enrolment) == ["waiting"]


def test_a_campaign_that_is_being_paused_is_not_planned(account, user, campaign, started):
    started()

    overlap(account, lambda: pause_campaign(campaign, by=user), lambda: plan(account))

    assert states(Message) == []
    assert states(Enrolment) == ["waiting"]


def test_two_planners_queue_every_contact_once(account, started):
    started(30)

    queued = all_at_once([lambda: plan(account)] * 4, account=account)

    assert sum(queued) == 30
    assert states(Message) == ["queued"] * 30


def test_two_workers_never_hold_one_mailbox(account, started):
    started(3)
    plan(account)

    batch, other = overlap(account, lambda: claim(limit=1), claim)

    assert len(batch.messages) == 1
    assert other is None


@only_postgresql
def test_a_claim_does_not_wait_for_a_claim_of_another_mailbox(account, user, campaign, started, sink):
    other = MailboxFactory(account=account, smtp_port=sink.port)
    update_campaign(
        campaign, by=user, mailboxes=[EmailAccount.objects.get(pk=campaign.mailboxes.get().pk), other]
    )
    started(4)
    plan(account)
    waited = []

    def claim_and_look() -> None:
        waited.append(claim())

    overlap(account, lambda: (claim(), claim_in_thread(account, claim_and_look)), lambda: None)

    assert len(waited[0].messages) == 2


def claim_in_thread(account, work) -> None:
    """Ends although the transaction around it is still open."""
    all_at_once([work], account=account)


def test_many_threads_claim_every_message_once_and_one_mailbox_each(account, user, sink):
    boxes = MailboxFactory.create_batch(6, account=account, smtp_port=sink.port)
    campaign = create_campaign(
        account,
        by=user,
        name="Wide",
        steps=[{"subject": "Hi", "body": "Hi"}],
        mailboxes=boxes,
        daily_limit=1000,
    )
    contacts = ContactFactory.create_batch(90, account=account)
    enrol(campaign, Contact.objects.filter(pk__in=[contact.pk for contact in contacts]), by=user)
    Campaign.objects.update(status="STARTED")
    plan(account)

    def work() -> list[int]:
        mine = []
        while batch := claim(limit=4):
            if not batch.messages:
                continue  # somebody took the mailbox's rows while this thread waited for its lock
            held = Message.objects.filter(mailbox=batch.mailbox, state="claimed")
            assert len(set(held.values_list("claim", flat=True))) == 1
            mine += [message.pk for message in batch.messages]
            held.update(state="sent", sent_at=timezone.now(), lease_until=None)
        return mine

    claimed = [pk for mine in all_at_once([work] * 6, account=account) for pk in mine]

    # A thread that finds every mailbox in other hands goes home, so the last rows may wait for the next bell.
    claimed += work()
    assert sorted(claimed) == sorted(Message.objects.values_list("pk", flat=True))
    assert CapCounter.objects.get(scope=f"campaign:{campaign.pk}").used == 90


def test_contacts_added_while_a_campaign_finishes_are_not_forgotten(account, user, campaign, started, run):
    started()
    Enrolment.objects.update(state="finished")
    newcomer = ContactFactory(account=account)

    overlap(
        account,
        lambda: plan(account),
        lambda: enrol(campaign, Contact.objects.filter(pk=newcomer.pk), by=user),
    )

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.STARTED
    assert run(campaign) == 1


def test_a_campaign_does_not_finish_while_contacts_are_being_added(account, user, campaign, started):
    started()
    Enrolment.objects.update(state="finished")
    newcomer = ContactFactory(account=account)

    overlap(
        account,
        lambda: enrol(campaign, Contact.objects.filter(pk=newcomer.pk), by=user),
        lambda: plan(account),
    )

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.STARTED
    assert Message.objects.get().to_address == newcomer.email


def test_a_contact_put_into_two_campaigns_at_once_is_in_one(account, user, campaign, mailbox):
    other = create_campaign(
        account, by=user, name="Other", steps=[{"subject": "Hi", "body": "Hi"}], mailboxes=[mailbox]
    )
    ContactFactory.create_batch(5, account=account)

    results = all_at_once(
        [lambda one=one: enrol(one, Contact.objects.all(), by=user) for one in (campaign, other)],
        account=account,
    )

    assert sorted(result.added for result in results) == [0, 5]
    assert Enrolment.objects.count() == 5


def test_what_is_cancelled_while_it_is_marked_as_sending_goes_one_way_only(account, user, started):
    started()
    plan(account)
    [message] = claim().messages

    marked, stopped = overlap(
        account, lambda: mark_sending(message), lambda: stop(Enrolment.objects.all(), reason="a test")
    )

    assert (marked, stopped) == (True, 1)
    assert states(Message) == ["sending"]


def test_a_late_answer_is_believed_against_the_sweep(account, started):
    started()
    plan(account)
    [message] = claim().messages
    mark_sending(message)
    Message.objects.update(lease_until=timezone.now() - timedelta(minutes=5))

    overlap(account, expire_sending, lambda: mark_sent(message))

    assert states(Message) == ["sent"]


def test_a_late_answer_takes_back_what_was_queued_again(account, user, started, sink):
    started()
    plan(account)
    [message] = claim().messages
    mark_sending(message)
    mark_ambiguous(message, error="no answer")
    again = settle(Message.objects.get(), by=user, outcome="send_again")

    mark_sent(message)

    assert again.state == "queued"
    assert states(Message) == ["sent"]
    assert claim() is None


def test_two_people_settle_a_message_once(account, user, started):
    started()
    plan(account)
    [message] = claim().messages
    mark_sending(message)
    mark_ambiguous(message, error="no answer")

    def decide(outcome: str) -> str:
        try:
            return settle(Message.objects.get(), by=user, outcome=outcome).state
        except Invalid:
            return "refused"

    answers = overlap(account, lambda: decide("arrived"), lambda: decide("send_again"))

    assert answers == ("sent", "refused")


def send_some() -> None:
    for _ in range(6):
        if batch := claim(limit=5):
            for message in batch.messages[:3]:
                if mark_sending(message):
                    mark_sent(message)
            return_to_queue(batch.messages[3:])


def refuse(contacts: list[Contact]) -> None:
    for contact in contacts:
        suppress(contact.account_id, contact.email, cause="unsubscribed", source="a test")


def test_nothing_waits_for_itself_when_everybody_works_at_once(account, user, campaign, started, sink):
    """Claims, plans, pauses and stops over the same rows; a deadlock would raise in one of the threads."""
    contacts = started(60)

    def pause_and_go_on() -> None:
        for _ in range(4):
            pause_mailbox(EmailAccount.objects.get(), by=user, reason="a test")
            EmailAccount.objects.update(paused_at=None)

    def plan_often() -> None:
        for _ in range(6):
            plan(account)

    refusals = [lambda: refuse(contacts[:10]), lambda: refuse(contacts[5:15])]
    all_at_once([send_some, send_some, plan_often, pause_and_go_on, *refusals], account=account)

    refused = Enrolment.objects.filter(address__in=[contact.email for contact in contacts[:15]])
    assert set(refused.values_list("state", flat=True)) <= {"stopped", "finished"}
    assert_everybody_is_somewhere()


def assert_everybody_is_somewhere() -> None:
    """An enrolment in flight has exactly one message that will move it on; the counters are exact."""
    for enrolment in Enrolment.objects.filter(state="in_flight").prefetch_related("messages"):
        moving = [
            message
            for message in enrolment.messages.all()
            if message.state in ("queued", "claimed", "sending", "ambiguous")
            or (message.state == "sent" and not message.followed_up)
        ]
        assert len(moving) == 1
    for counter in CapCounter.objects.filter(scope__startswith="mailbox"):
        pk = int(counter.scope.partition(":")[2])
        assert counter.used == Message.objects.filter(mailbox=pk, mailbox_day=counter.day).count()
