from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.incoming.quotes import new_words

QUOTE = "\n> Dear Grace,\n> a question."


@pytest.mark.parametrize(
    "attribution",
    [
        "On Fri, 20 Nov 2026 at 10:00, Sam <sam@sender.example> wrote:",
        "On 20 Nov 2026, at 11:00, Sam Sender with a very long name\n<sam@sender.example>\nwrote:",
        "Am 20.11.2026 um 10:00 schrieb Sam Sender:",
        "Am Fr., 20. Nov. 2026 um 10:00 Uhr schrieb Sam <sam@sender.example>:",
        "Le ven. 20 nov. 2026 à 10:00, Sam <sam@sender.example> a écrit :",
        "El vie, 20 nov 2026 a las 10:00, Sam (<sam@sender.example>) escribió:",
        "Il giorno ven 20 nov 2026 alle ore 10:00 Sam ha scritto:",
        "2026年11月20日(金) 10:00 Sam <sam@sender.example>:",
        "2026/11/20 10:00、Sam <sam@sender.example>のメール:",
    ],
)
def test_the_line_that_says_who_wrote_before_begins_the_quote(attribution):
    assert new_words(f"Yes.\n\n{attribution}\n{QUOTE}") == "Yes."


@pytest.mark.parametrize(
    "heading",
    [
        "-----Original Message-----\nFrom: Sam\nSent: Friday",
        "-----Ursprüngliche Nachricht-----\nVon: Sam",
        "________________________________\nVon: Sam\nGesendet: Freitag\nAn: Grace\nBetreff: Hallo",
        "From: Sam\nSent: Friday\nTo: Grace\nSubject: Hello",
        "*From:* Sam\n*Sent:* Friday\n*To:* Grace",
        "De : Sam\nEnvoyé : vendredi\nÀ : Grace\nObjet : Bonjour",
        "De: Sam\nEnviado el: viernes\nPara: Grace\nAsunto: Hola",
        "差出人: Sam\n送信日時: 2026年11月20日\n宛先: Grace\n件名: こんにちは",
    ],
)
def test_repeated_headers_begin_a_quote_that_is_not_marked(heading):
    assert new_words(f"Yes.\n\n{heading}\n\nDear Grace, a question.") == "Yes."


def test_an_answer_without_a_quote_is_kept_whole():
    assert new_words("Yes.\n\nGrace") == "Yes.\n\nGrace"


def test_answers_between_the_quoted_lines_are_kept_with_them():
    text = "On Friday, Sam wrote:\n> When?\nOn Monday.\n> Where?\nHere."

    assert new_words(text) == text


def test_a_sentence_that_only_sounds_like_it_is_kept():
    text = "On the phone you said that somebody wrote: never mind.\nFrom: here on we go."

    assert new_words(text) == text


def test_a_mail_of_nothing_but_a_quote_is_kept():
    assert new_words(QUOTE) == QUOTE.strip()


@settings(deadline=None, max_examples=40)
@given(st.text(alphabet=">_-:\nFromOn wrote年月日2026 ", max_size=400))
def test_some_words_are_always_left(text):
    words = new_words(text)

    assert words in text.strip().replace("\r", "\n") or words.splitlines() == text.strip().splitlines()
    assert bool(words) == bool(text.strip())
