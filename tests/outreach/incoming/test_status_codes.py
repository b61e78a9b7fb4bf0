from __future__ import annotations

import pytest

from outreach.incoming.status_codes import Blame, blame


@pytest.mark.parametrize(
    ("status", "whose"),
    [
        ("5.1.1", Blame.ADDRESS),
        ("5.1.10", Blame.ADDRESS),
        ("5.2.1", Blame.ADDRESS),
        ("5.4.1", Blame.ADDRESS),
        ("5.4.4", Blame.ADDRESS),
        ("5.4.310", Blame.ADDRESS),
        ("5.1.8", Blame.SENDER),
        ("5.7.1", Blame.SENDER),
        ("5.7.26", Blame.SENDER),
        ("5.7.515", Blame.SENDER),
        ("5.7.133", Blame.MESSAGE),
        ("5.2.2", Blame.TIME),
        ("4.2.2", Blame.TIME),
        ("4.7.0", Blame.TIME),
        ("5.2.3", Blame.MESSAGE),
        ("5.3.4", Blame.MESSAGE),
        ("5.4.6", Blame.MESSAGE),
        ("5.6.0", Blame.MESSAGE),
    ],
)
def test_what_a_status_is_about(status, whose):
    assert blame(status) == whose


@pytest.mark.parametrize(
    ("code", "whose"),
    [
        (421, Blame.TIME),
        (450, Blame.TIME),
        (550, Blame.ADDRESS),
        (551, Blame.ADDRESS),
        (552, Blame.TIME),
        (553, Blame.ADDRESS),
        (554, Blame.MESSAGE),
    ],
)
def test_a_server_without_a_status_is_judged_by_its_code(code, whose):
    assert blame(code=code) == whose


@pytest.mark.parametrize(
    ("words", "whose"),
    [
        ("550 5.1.1 <lea@example.org>: User unknown", Blame.ADDRESS),
        ("552 5.2.2 user is over quota", Blame.TIME),
        ("550 5.0.0 then 5.7.1 Message rejected", Blame.SENDER),
        ("554 delivery error: dd This user doesn't have a yahoo.com account", Blame.ADDRESS),
        ("554 Message refused as spam", Blame.SENDER),
        ("550 This mailbox has been disabled: account disabled", Blame.ADDRESS),
        ("451 try again later", Blame.TIME),
        ("the mailbox is full", Blame.TIME),
        ("something went wrong at 192.0.2.25", Blame.MESSAGE),
    ],
)
def test_words_count_where_codes_say_nothing(words, whose):
    assert blame("5.0.0" if words.startswith("554") else "", words=words) == whose
