"""Claims stay within the day's allowances, and whatever goes back gives its allowance back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from outreach.campaigns import pause_campaign, start_campaign
from outreach.claiming import claim_batch, loaded, release_expired, return_to_queue
from outreach.committing import mark_sending
from outreach.models import Campaign, CapCounter, EmailAccount, Enrolment, Message
from outreach.outcomes import defer, fail, hold
from outreach.planning import plan_account
from outreach.settling import mark_ambiguous, mark_sent, settle
from pipelime.scope import every_account
from tests.factories import ConversationFactory

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday


def claim(now: datetime = NOON, limit: int = 100):
    with every_account():
        return claim_batch(now + timedelta(seconds=1), limit)


@pytest.fixture
def planned(account, started, campaign):
    """Queues a first mail at noon to so many contacts."""

    def plan(count: int = 1) -> list[Message]:
        started(count)
        Enrolment.objects.update(due_at=NOON)
        plan_account(account.pk, NOON)
        return list(Message.objects.order_by("pk"))

    return plan


def counters() -> dict[str, int]:
    return {counter.scope.partition(":")[0]: counter.used for counter in CapCounter.objects.all()}


def counted() -> dict[str, int]:
    return {
        "mailbox": Message.objects.filter(mailbox_day__isnull=False).count(),
        "campaign": Message.objects.filter(campaign_day__isnull=False).count(),
    }


def test_what_exceeds_a_mailbox_waits_for_the_mailboxs_next_day(planned):
    planned(3)
    EmailAccount.objects.update(daily_limit=1, time_zone="Europe/Paris")

    batch, again = claim(), claim()

    assert len(batch.messages) == 1
    assert again is None
    put_off = Message.objects.filter(state="queued")
    assert set(put_off.values_list("due_at", flat=True)) == {datetime(2026, 3, 4, 23, tzinfo=UTC)}
    assert counters() == {"mailbox": 1}


def test_what_exceeds_a_campaign_waits_for_its_next_window(planned):
    planned(3)
    Campaign.objects.update(
        daily_limit=2,
        time_zone="America/New_York",
        windows=[{"days": ["mon"], "from": "09:00", "to": "17:00"}],
    )

    batch = claim()

    assert len(batch.messages) == 2
    assert Message.objects.get(state="queued").due_at == datetime(2026, 3, 9, 13, tzinfo=UTC)  # summer time
    assert counters() == {"mailbox": 2, "campaign": 2}


def test_a_slot_that_was_missed_is_not_sent_at_an_odd_hour(planned, account):
    planned()

    late = claim(NOON + timedelta(hours=9))
    plan_account(account.pk, NOON + timedelta(hours=9))

    assert late is None
    assert sorted(Message.objects.values_list("state", flat=True)) == ["cancelled", "queued"]
    assert claim(NOON + timedelta(hours=9)).messages[0].slot_at == NOON + timedelta(hours=9)


def test_a_row_that_somebody_else_holds_by_now_is_not_loaded(planned):
    [message] = planned()
    batch = claim()
    fence = batch.messages[0].fence
    Message.objects.update(lease_until=timezone.now() - timedelta(minutes=5))
    with every_account():
        release_expired()
    claim()

    assert loaded(batch.mailbox, {message.pk: fence}) == []


def test_the_mailbox_that_has_waited_longest_comes_first(planned, mailbox):
    planned(2)
    EmailAccount.objects.update(served_at=NOON)
    other = EmailAccount.objects.create(
        account=mailbox.account, email="other@example.com", smtp_host="127.0.0.1", smtp_port=mailbox.smtp_port
    )
    Message.objects.filter(pk=Message.objects.last().pk).update(mailbox=other)

    order = [claim().mailbox.pk, claim().mailbox.pk]

    assert order == [other.pk, mailbox.pk]


@pytest.mark.parametrize(
    ("what", "used"),
    [
        (lambda message, user: return_to_queue([message]), 0),
        (lambda message, user: hold(message, reason="a test"), 0),
        (lambda message, user: defer(message, "451 later"), 0),
        (lambda message, user: fail(message, "550 no", reason="refused"), 1),
        (lambda message, user: pause_campaign(message.campaign, by=user), 0),
        (lambda message, user: (mark_sending(message), mark_sent(message)), 1),
        (lambda message, user: (mark_sending(message), defer(message, "451 later")), 0),
        (lambda message, user: (mark_sending(message), mark_ambiguous(message, error="?")), 1),
    ],
    ids=["return", "hold", "defer", "fail", "pause", "sent", "deferred after the dot", "ambiguous"],
)
def test_the_counters_agree_with_the_messages_whatever_becomes_of_them(planned, user, what, used):
    Campaign.objects.update(daily_limit=10)
    planned()
    [message] = claim().messages

    what(message, user)

    assert counters() == {"mailbox": used, "campaign": used}
    assert counted() == {"mailbox": used, "campaign": used}


def test_a_mail_sent_again_counts_twice_because_both_may_have_left(planned, user):
    planned()
    [message] = claim().messages
    mark_sending(message)
    mark_ambiguous(message, error="?")

    settle(Message.objects.get(), by=user, outcome="send_again")
    [again] = claim(timezone.now()).messages
    return_to_queue([again])

    assert sorted(CapCounter.objects.values_list("used", flat=True)) == [0, 1]
    assert counted() == {"mailbox": 0, "campaign": 0}


def test_what_was_taken_over_meanwhile_gives_nothing_back(planned, user, campaign):
    planned()
    [message] = claim().messages
    pause_campaign(campaign, by=user)
    start_campaign(campaign, by=user)

    returned = return_to_queue([message])

    assert returned == set()
    assert counters() == {"mailbox": 0}
    assert Message.objects.get().state == "cancelled"


@pytest.fixture
def capped(account):
    def set_caps(**caps: int) -> None:
        account.settings = caps
        account.save()

    return set_caps


def test_what_exceeds_an_account_waits_for_its_next_day(planned, capped, account):
    account.time_zone = "Europe/Paris"
    planned(3)
    capped(mails_a_day=2)

    batch, again = claim(), claim()

    assert (len(batch.messages), again) == (2, None)
    assert Message.objects.get(state="queued").due_at == datetime(2026, 3, 4, 23, tzinfo=UTC)
    assert counters() == {"mailbox": 2, "account": 2, "domain": 2}


def test_what_exceeds_a_domain_waits_and_other_domains_do_not(planned, capped):
    first, *_ = planned(3)
    Message.objects.filter(pk=first.pk).update(to_address="p@Other.example")
    capped(mails_per_domain_a_day=1)

    batch = claim()

    assert sorted(message.to_address.partition("@")[2] for message in batch.messages) == [
        "Other.example",
        "example.com",
    ]
    domains = CapCounter.objects.filter(scope__startswith="domain").order_by("scope")
    assert [(one.scope.rpartition(":")[2], one.used) for one in domains] == [
        ("example.com", 1),
        ("other.example", 1),
    ]


def test_the_counters_of_account_and_domain_are_given_back_with_the_claim(planned, capped, user, campaign):
    planned(2)
    capped(mails_a_day=5)
    claim()

    pause_campaign(campaign, by=user)

    assert counters() == {"mailbox": 0, "account": 0, "domain": 0}
    assert not Message.objects.filter(account_day__isnull=False).exists()


def test_a_new_mailbox_may_send_only_what_its_ramp_allows(planned):
    planned(3)
    EmailAccount.objects.update(ramp_up_from=1, ramp_up_by=1, ramp_up_on=NOON.date() - timedelta(days=1))

    assert len(claim().messages) == 2


def test_an_answer_and_a_test_mail_use_no_allowance(planned, mailbox, account):
    answer, test, mail = planned(3)
    talk = ConversationFactory(account=account, mailbox=mailbox)
    Message.objects.filter(pk=answer.pk).update(conversation=talk)
    Message.objects.filter(pk=test.pk).update(frozen={"subject": "", "text": ""}, campaign=None)
    EmailAccount.objects.update(daily_limit=1)

    batch = claim()

    assert sorted(message.pk for message in batch.messages) == [answer.pk, test.pk, mail.pk]
    assert counters() == {"mailbox": 1}


def test_a_claim_of_mail_takes_no_other_step(planned):
    [message] = planned()
    Message.objects.filter(pk=message.pk).update(channel="linkedin_message")

    batch = claim()

    assert batch is None or batch.messages == []
    assert Message.objects.get().state == "queued"


def test_a_batch_costs_the_same_statements_whatever_its_size(planned):
    Campaign.objects.update(daily_limit=100)
    planned(30)
    claim(limit=1)

    def statements(size: int) -> int:
        Message.objects.filter(state="claimed").update(state="sent")
        with CaptureQueriesContext(connection) as captured:
            assert len(claim(limit=size).messages) == size
        return len(captured)

    assert statements(2) == statements(27) == 17
