from __future__ import annotations

import pytest

from outreach.incoming.leaving import token_in, wants_out


@pytest.mark.parametrize(
    "words",
    [
        "unsubscribe",
        "Unsubscribe.",
        "STOP!",
        "Please remove me",
        "Stop\n\nGrace Hopper\nNavy",
        "Bitte abmelden",
        "Désinscription",
        "Merci de me désinscrire",
        "Dar de baja, por favor",
        "配信停止",
    ],
)
def test_a_first_line_of_nothing_else_asks_to_leave(words):
    assert wants_out("Re: Hello", words)


@pytest.mark.parametrize(
    "words",
    [
        "Stop by our office on Tuesday.",
        "How do I unsubscribe from your competitor?",
        "Hello\nunsubscribe",
        "Remove the second item, please",
        "",
    ],
)
def test_other_words_do_not(words):
    assert not wants_out("Re: Hello", words)


def test_a_mail_without_words_asks_in_its_subject():
    assert wants_out("unsubscribe", "")


def test_a_token_stands_behind_the_word():
    token = "AZNHalwAey6dEU9qDDsqAcHbq0tTUuWbGx3Fzw"

    assert token_in(f"unsubscribe {token}") == token
    assert token_in(f"Unsubscribe: {token}") == token
    assert token_in("unsubscribe me") == ""
