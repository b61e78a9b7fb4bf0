from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine as clock

from outreach.incoming import brakes
from outreach.incoming.brakes import Record, verdict
from outreach.mailboxes import pause_mailbox, resume_mailbox
from outreach.models import Message
from tests.factories import MessageFactory
from tests.outreach.incoming.conftest import NOW


@pytest.mark.parametrize(
    ("sent", "bounced", "complained"),
    [(0, 0, 0), (49, 49, 0), (50, 4, 0), (100, 5, 0), (200, 10, 0), (200, 0, 1), (5, 0, 1)],
)
def test_what_is_usual_or_too_little_to_say_stops_nothing(sent, bounced, complained):
    assert verdict(Record(sent, bounced, complained)) == ""


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Record(50, 5, 0), "5 of its last 50 mails bounced (10.0%; at most 5.0% may)"),
        (Record(200, 11, 0), "11 of its last 200 mails bounced (5.5%; at most 5.0% may)"),
        (Record(200, 0, 2), "2 of its last 200 mails were complained about (1.0%; at most 0.3% may)"),
        (Record(10, 9, 2), "2 of its last 10 mails were complained about (20.0%; at most 0.3% may)"),
    ],
)
def test_too_many_stop_it_with_the_figures(record, reason):
    assert verdict(record) == reason


def test_the_last_two_hundred_mails_count_and_the_one_that_is_just_learnt_of(account, mailbox, message):
    for number in range(210):
        last = MessageFactory(
            account=account,
            enrolment=message.enrolment,
            step_number=10 + number,
            mailbox=mailbox,
            state="sent",
            sent_at=NOW,
            bounced_at=NOW if number < 20 else None,
        )

    assert brakes.record_of(mailbox, None, None) == Record(sent=200, bounced=10, complained=0)
    assert brakes.record_of(mailbox, last.pk, last.pk) == Record(sent=200, bounced=11, complained=1)


def test_what_the_server_refused_at_once_has_bounced_as_well(mailbox, message):
    Message.objects.filter(pk=message.pk).update(state="failed", sent_at=None, bounced_at=NOW)

    assert brakes.record_of(mailbox, None, None) == Record(sent=1, bounced=1, complained=0)


def test_what_a_person_has_seen_when_they_resumed_it_counts_no_more(account, mailbox, message, user):
    with clock.travel(NOW - timedelta(minutes=5), tick=False):
        pause_mailbox(mailbox, by=user, reason="enough")
        resume_mailbox(mailbox, by=user)

    assert brakes.record_of(mailbox, message.pk, None) == Record(sent=0, bounced=0, complained=0)
