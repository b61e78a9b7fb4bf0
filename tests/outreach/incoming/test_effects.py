"""What follows from what came back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from outreach.enrolments import pause_enrolment
from outreach.incoming.taking import take_in
from outreach.models import Conversation, Enrolment, Incoming, Message
from pipelime.accounts.models import Notice
from pipelime.events.models import Event
from pipelime.scope import account_scope
from tests.crm.receiving.mails import NASTY
from tests.factories import ContactFactory, EnrolmentFactory, MailboxFactory, MessageFactory
from tests.outreach.incoming.conftest import NOW, letter

Kind = Incoming.Kind


def names() -> list[str]:
    return list(Event.objects.order_by("id").values_list("name", flat=True))


def place(message: Message) -> Enrolment:
    return Enrolment.objects.get(pk=message.enrolment_id)


@pytest.fixture
def next_one(account, message, mailbox) -> Message:
    """The second step, planned already."""
    Enrolment.objects.filter(pk=message.enrolment_id).update(state="in_flight")
    return MessageFactory(
        account=account, enrolment=message.enrolment, mailbox=mailbox, step_number=2, state="queued"
    )


def test_a_reply_ends_the_sequence_and_is_a_conversation(mailbox, message, next_one, grace):
    incoming = take_in(mailbox, letter("reply_gmail"), NOW)

    next_one.refresh_from_db()
    message.refresh_from_db()
    assert (place(message).state, place(message).reason) == ("stopped", "replied")
    assert (place(message).replied_at, message.replied_at) == (incoming.at, incoming.at)
    assert (next_one.state, next_one.last_error) == ("cancelled", "replied")
    conversation = Conversation.objects.get()
    assert (conversation.contact, conversation.unread, conversation.mailbox) == (grace, 1, mailbox)
    assert (incoming.contact, incoming.from_name) == (grace, "Grace Hopper")
    event = Event.objects.get(name="message.replied")
    assert event.data["reply"]["text"] == "Yes, tell me more."
    assert event.subject_uid == message.uid


def test_where_answers_end_nothing_the_sequence_goes_on_and_knows_of_it(campaign, mailbox, message):
    campaign.stop_on_reply = False
    campaign.save()

    take_in(mailbox, letter("reply_gmail"), NOW)

    assert place(message).state == "waiting"
    assert place(message).replied_at is not None


def test_an_answer_may_end_the_sequences_of_the_whole_company(account, campaign, grace, mailbox, message):
    campaign.stop_on_company_reply = True
    campaign.save()
    colleague = EnrolmentFactory(
        account=account, campaign=campaign, contact=ContactFactory(account=account, company=grace.company)
    )
    stranger = EnrolmentFactory(account=account, campaign=campaign)
    elsewhere = EnrolmentFactory(account=account, contact=grace)

    take_in(mailbox, letter("reply_gmail"), NOW)

    states = {row.pk: (row.state, row.replied_at is not None) for row in Enrolment.objects.all()}
    assert states == {
        message.enrolment_id: ("stopped", True),
        colleague.pk: ("stopped", False),
        stranger.pk: ("waiting", False),
        elsewhere.pk: ("waiting", False),
    }


def test_the_first_answer_is_the_one_whose_moment_counts(mailbox, message):
    first = take_in(mailbox, letter("reply_gmail"), NOW)
    take_in(mailbox, letter("reply_outlook"), NOW)

    message.refresh_from_db()
    assert message.replied_at == first.at
    assert names().count("message.replied") == 2
    assert Conversation.objects.get().unread == 2


@pytest.mark.parametrize("doubt", [{"state": "ambiguous"}, {"state": "queued", "settled_at": NOW}])
def test_an_answer_settles_a_mail_of_which_nobody_knew_whether_it_arrived(mailbox, message, doubt):
    Message.objects.filter(pk=message.pk).update(sent_at=None, **doubt)

    take_in(mailbox, letter("reply_gmail"), NOW)

    message.refresh_from_db()
    assert message.state == "sent"
    assert message.settled_at is not None


def test_whoever_is_away_is_written_to_a_business_day_after_their_return(mailbox, message, next_one):
    incoming = take_in(mailbox, letter("away_english_exchange"), NOW)

    parked, until = place(message), datetime(2026, 12, 1, 9, tzinfo=UTC)  # back on Monday 30 November
    assert (parked.state, parked.parked_until, parked.due_at) == ("waiting", until, until)
    next_one.refresh_from_db()
    message.refresh_from_db()
    assert next_one.state == "cancelled"
    assert (message.away_at, message.replied_at) == (incoming.at, None)
    assert "message.auto_replied" in names()
    assert "message.replied" not in names()


def test_without_a_day_it_is_three_business_days(mailbox, message):
    take_in(mailbox, letter("away_english_undated"), NOW)  # on Friday 20 November

    assert place(message).parked_until == datetime(2026, 11, 25, 9, tzinfo=UTC)


def test_a_paused_place_stays_paused_while_somebody_is_away(mailbox, message, user):
    pause_enrolment(message.enrolment, by=user)

    take_in(mailbox, letter("away_english_exchange"), NOW)

    assert place(message).state == "paused"


def test_a_dead_address_is_never_written_to_again(mailbox, message, next_one, grace):
    incoming = take_in(mailbox, letter("bounce_postfix_unknown_user"), NOW)

    grace.refresh_from_db()
    next_one.refresh_from_db()
    message.refresh_from_db()
    assert (grace.status, place(message).state, next_one.state) == ("bounced", "stopped", "cancelled")
    assert message.bounced_at == incoming.at
    assert incoming.diagnostic.startswith("550 5.1.1 <grace@example.com>: Recipient address rejected")
    bounced = Event.objects.get(name="message.bounced")
    assert (bounced.data["status_code"], bounced.data["blame"]) == ("5.1.1", "address")
    assert names().count("contact.bounced") == 1


def test_two_reports_of_one_mail_bounce_it_once(mailbox, message):
    take_in(mailbox, letter("bounce_postfix_unknown_user"), NOW)
    take_in(mailbox, letter("bounce_gmail_unknown"), NOW)

    assert (Incoming.objects.count(), names().count("message.bounced")) == (2, 1)


def test_a_refusal_of_the_sender_pauses_the_mailbox_and_tells_its_owner(user, mailbox, message, grace):
    mailbox.owner = user
    mailbox.save()

    take_in(mailbox, letter("bounce_outlook_com_authentication"), NOW)

    mailbox.refresh_from_db()
    grace.refresh_from_db()
    assert mailbox.pause_reason.startswith("grace@example.com was refused: 5.7.515 550 5.7.515 Access denied")
    assert (grace.status, place(message).state) == ("active", "waiting")
    assert [notice.to for notice in Notice.objects.all()] == [user.email]


@pytest.mark.parametrize(("before", "state"), [(3, "waiting"), (4, "stopped")])
def test_five_mails_in_a_month_that_were_not_taken_for_now_are_enough(
    account, mailbox, message, before, state
):
    for number in range(before):
        other = MessageFactory(
            account=account,
            enrolment=message.enrolment,
            mailbox=mailbox,
            step_number=10 + number,
            state="sent",
        )
        soft = {"kind": Kind.BOUNCE, "status_code": "4.4.1", "at": NOW - timedelta(days=number)}
        for server in "ab":  # two reports of one mail count as one
            Incoming.objects.create(
                account=account, mailbox=mailbox, message=other, digest=f"{number}{server}", **soft
            )

    take_in(mailbox, letter("bounce_gmail_full"), NOW)

    assert place(message).state == state


def test_soft_bounces_of_last_month_are_forgotten(account, mailbox, message):
    for number in range(5):
        other = MessageFactory(account=account, enrolment=message.enrolment, step_number=10 + number)
        at = NOW - timedelta(days=31)
        Incoming.objects.create(
            account=account,
            mailbox=mailbox,
            message=other,
            digest=str(number),
            kind="bounce",
            status_code="4.4.1",
            at=at,
        )

    take_in(mailbox, letter("bounce_gmail_full"), NOW)

    assert place(message).state == "waiting"


def test_a_complaint_is_the_end(mailbox, message, grace):
    take_in(mailbox, letter("complaint_yahoo"), NOW)

    grace.refresh_from_db()
    assert (grace.status, place(message).state) == ("blocked", "stopped")
    assert names().count("contact.complained") == 1


def test_the_second_complaint_about_a_mailbox_stops_it(account, mailbox, message):
    MessageFactory(account=account, mailbox=mailbox, state="sent", sent_at=NOW, complained_at=NOW)

    take_in(mailbox, letter("complaint_yahoo"), NOW)

    mailbox.refresh_from_db()
    assert mailbox.pause_reason == "2 of its last 2 mails were complained about (100.0%; at most 0.3% may)"


def test_whoever_asks_by_mail_is_unsubscribed_and_their_words_are_shown(mailbox, message, grace):
    incoming = take_in(mailbox, letter("unsubscribe_first_line"), NOW)

    grace.refresh_from_db()
    message.refresh_from_db()
    assert (grace.status, place(message).state) == ("unsubscribed", "stopped")
    assert message.unsubscribed_at == incoming.at
    assert message.replied_at is None
    assert incoming.conversation is not None
    assert names().count("contact.unsubscribed") == 1


def test_the_mail_program_s_own_unsubscribe_mail_is_no_conversation(mailbox, message):
    assert take_in(mailbox, letter("unsubscribe_by_header"), NOW).conversation is None


def test_a_message_id_that_a_relay_has_changed_is_found_by_our_own_header(mailbox, message):
    header = f"X-Message-Ref: {message.uid.hex}\r\nMessage-ID: <changed@relay.example>".encode()
    raw = letter("bounce_postfix_unknown_user").replace(b"Message-ID: " + message.message_id.encode(), header)

    assert take_in(mailbox, raw, NOW).message == message


def test_a_mail_of_another_account_is_none_of_ours(message):
    theirs = MailboxFactory(email="sam@other.example")
    with account_scope(theirs.account_id):
        taken = [
            take_in(theirs, letter(name), NOW)
            for name in ("reply_gmail", "bounce_gmail_unknown", "complaint_yahoo", "unsubscribe_by_header")
        ]

    assert taken == [None] * 4
    assert place(message).state == "waiting"


def test_whoever_was_written_to_long_ago_is_not_taken_for_answering(mailbox, message):
    Message.objects.filter(pk=message.pk).update(sent_at=NOW - timedelta(days=91))

    assert take_in(mailbox, letter("reply_without_references"), NOW) is None
    assert take_in(mailbox, letter("reply_gmail"), NOW) is not None


def test_whatever_an_answer_holds_can_be_stored(mailbox, message):
    for number, (name, raw) in enumerate(NASTY.items()):
        head = f"Message-ID: <{number}@example.org>\r\nIn-Reply-To: {message.message_id}\r\n".encode()
        incoming = take_in(mailbox, head + raw, NOW)

        assert incoming is not None, name
        assert incoming.message == message


def test_the_day_of_the_return_is_kept(mailbox, message):
    assert take_in(mailbox, letter("away_german"), NOW).back_on == date(2026, 11, 30)
