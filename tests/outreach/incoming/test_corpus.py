"""What each mail of the corpus becomes. They are of our own writing, in the shapes of real ones."""

from __future__ import annotations

from datetime import date

import pytest

from outreach.incoming.taking import take_in
from outreach.models import Incoming, Suppression
from tests.outreach.incoming.conftest import CORPUS, NOW, letter

NOTHING = "nothing"
BOUNCES = {  # status, what follows
    "bounce_postfix_unknown_user": ("5.1.1", "bounced"),
    "bounce_postfix_headers_only": ("5.4.4", "bounced"),
    "bounce_postfix_delayed": ("4.4.1", NOTHING),
    "bounce_postfix_expired": ("4.4.1", NOTHING),
    "bounce_exchange_unknown": ("5.1.10", "bounced"),
    "bounce_exchange_german": ("5.4.1", "bounced"),
    "bounce_exchange_group_closed": ("5.7.133", "stopped"),
    "bounce_outlook_com_authentication": ("5.7.515", "paused"),
    "bounce_gmail_unknown": ("5.1.1", "bounced"),
    "bounce_gmail_nested": ("5.1.1", "bounced"),
    "bounce_gmail_full": ("5.2.2", NOTHING),
    "bounce_gmail_policy": ("5.7.26", "paused"),
    "bounce_yahoo_no_account": ("5.0.0", "bounced"),
    "bounce_icloud_over_quota": ("5.0.0", NOTHING),
    "bounce_icloud_unknown": ("5.1.1", "bounced"),
    "bounce_exim": ("", "bounced"),
    "bounce_exim_new": ("5.0.0", "bounced"),
    "bounce_qmail": ("", "bounced"),
}
COMPLAINTS = ["complaint_yahoo", "complaint_microsoft", "complaint_fastmail"]
ABSENCES = {
    "away_english_exchange": date(2026, 11, 30),
    "away_english_until_monday": date(2026, 11, 23),
    "away_english_range": date(2026, 11, 27),
    "away_english_undated": None,
    "away_english_too_far": None,
    "away_german": date(2026, 11, 30),
    "away_german_weekday": date(2026, 11, 25),
    "away_french": date(2026, 12, 7),
    "away_spanish": date(2026, 12, 3),
    "away_japanese": date(2026, 11, 30),
    "away_iso_vacation": date(2026, 12, 1),
    "away_subject_only": None,
}
REPLIES = {  # the new words
    "reply_gmail": "Yes, tell me more.",
    "reply_gmail_german": "Gerne, rufen Sie an.",
    "reply_gmail_japanese": "ありがとうございます。詳しく教えてください。",
    "reply_outlook": "Please send me your prices.\n\nBest\nGrace",
    "reply_outlook_french": "Oui, volontiers.",
    "reply_apple_mail": "Not now, thanks.\n\nSent from my iPhone",
    "reply_inline": (
        "On Fri, 20 Nov 2026 at 10:00, Sam Sender <sam@sender.example> wrote:\n"
        "> Dear Grace, a question.\nWhich one?"
    ),
    "reply_with_an_odd_header": "Yes, please call me.",
    "reply_from_a_colleague_of_ours": "I can take this one.",
    "reply_without_references": "I found your mail again. Call me.",
    "reply_to_a_plus_address": "Call me.",
    "reply_over_a_list": "We would like a demo.",
    "reply_html_only": "Tell me more.",
    "reply_that_mentions_stopping": "Stop by our office on Tuesday, we should talk.",
}
LEAVERS = ["unsubscribe_first_line", "unsubscribe_german", "unsubscribe_french", "unsubscribe_by_header"]
IGNORED = [
    "report_delivered",
    "report_not_spam",
    "report_read_receipt",
    "report_in_words_unknown_to_us",
    "forged_bounce_of_nothing",
    "forged_bounce_of_another_address",
    "forged_complaint_of_nothing",
    "forged_complaint_of_another_address",
    "list_mail",
    "private_mail",
    "mail_to_oneself",
]
ALL = [*BOUNCES, *COMPLAINTS, *ABSENCES, "auto_reply_ticket", *REPLIES, *LEAVERS, *IGNORED]


def followed(message) -> str:
    """What became of the mailbox, the address or the place in the campaign."""
    message.mailbox.refresh_from_db()
    message.enrolment.refresh_from_db()
    if message.mailbox.paused_at:
        return "paused"
    causes = list(Suppression.objects.values_list("cause", flat=True))
    return causes[0] if causes else NOTHING if message.enrolment.state == "waiting" else "stopped"


@pytest.mark.parametrize("name", BOUNCES)
def test_bounces(name, mailbox, message):
    incoming = take_in(mailbox, letter(name), NOW)

    assert incoming is not None
    assert (incoming.kind, incoming.message) == ("bounce", message)
    assert (incoming.status_code, followed(message)) == BOUNCES[name]
    message.refresh_from_db()
    assert (message.bounced_at is None) == (name == "bounce_postfix_delayed")


@pytest.mark.parametrize("name", COMPLAINTS)
def test_complaints(name, mailbox, message):
    incoming = take_in(mailbox, letter(name), NOW)

    assert (incoming.kind, followed(message)) == ("complaint", "complained")
    message.refresh_from_db()
    assert message.complained_at is not None


@pytest.mark.parametrize("name", ABSENCES)
def test_notices_of_absence(name, mailbox, message):
    incoming = take_in(mailbox, letter(name), NOW)

    assert (incoming.kind, incoming.back_on) == ("out_of_office", ABSENCES[name])
    assert followed(message) == NOTHING
    assert message.enrolment.parked_until > NOW


def test_an_automatic_answer_that_tells_of_no_absence_changes_nothing(mailbox, message):
    incoming = take_in(mailbox, letter("auto_reply_ticket"), NOW)

    assert (incoming.kind, followed(message)) == ("auto_reply", NOTHING)
    assert message.enrolment.parked_until is None


@pytest.mark.parametrize("name", REPLIES)
def test_replies(name, mailbox, message):
    incoming = take_in(mailbox, letter(name), NOW)

    assert (incoming.kind, incoming.text) == ("reply", REPLIES[name])
    assert incoming.message == message
    assert followed(message) == "stopped"


@pytest.mark.parametrize("name", LEAVERS)
def test_mails_that_want_no_more(name, mailbox, message):
    incoming = take_in(mailbox, letter(name), NOW)

    assert (incoming.kind, followed(message)) == ("unsubscribe", "unsubscribed")


@pytest.mark.parametrize("name", IGNORED)
def test_what_is_not_ours_or_forged_is_not_kept_and_changes_nothing(name, mailbox, message):
    assert take_in(mailbox, letter(name), NOW) is None
    assert not Incoming.objects.exists()
    assert followed(message) == NOTHING


def test_every_mail_of_the_corpus_is_spoken_for():
    assert sorted(ALL) == sorted(path.stem for path in CORPUS.glob("*.eml"))


@pytest.mark.parametrize("name", ["reply_gmail", "bounce_gmail_unknown", "complaint_yahoo"])
def test_the_same_mail_is_taken_once(name, mailbox, message):
    assert take_in(mailbox, letter(name), NOW) is not None
    assert take_in(mailbox, letter(name), NOW) is None
    assert Incoming.objects.count() == 1
