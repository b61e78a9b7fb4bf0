"""The same words are cut from what is stored and from what is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelime.search.words import LONGEST, indexed, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Grace Hopper", ["grace", "hopper"]),
        ("grace.hopper+crm@navy.example", ["grace.hopper+crm@navy.example"]),
        ("Jean-Pierre O'Brien", ["jean-pierre", "o", "brien"]),
        ("ACME/Berlin, <b>GmbH</b> & Co.", ["acme", "berlin", "b", "gmbh", "b", "co"]),
        ("Müller Straße ÉCOLE", ["muller", "strasse", "ecole"]),
        ("Zoe\u0308 Łódź", ["zoe", "łodz"]),
        ("+33 6-12", ["33", "6-12"]),
        ("_name_ a--b @home", ["name", "a", "b", "home"]),
        ("株式会社 アクメ", ["株式会社", "アクメ"]),
        ("\x00 \t\n ' \" * : & | ! ( ) <->", []),
        ("", []),
    ],
)
def test_a_text_is_cut_into_words(text, words):
    assert words_of(text) == words


def test_a_long_word_is_cut_off():
    assert words_of("x" * 5000) == ["x" * LONGEST]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Jean-Pierre", ["jean-pierre", "pierre"]),
        ("my_company.name", ["my_company.name", "company.name", "name"]),
        ("ada@shop.example", ["ada@shop.example", "shop.example"]),
        ("ada Ada ADA", ["ada"]),
    ],
)
def test_a_joined_word_is_found_by_its_parts_and_an_address_by_its_domain(text, words):
    assert indexed(text) == words


@given(st.text(max_size=300))
def test_a_word_needs_no_escaping_in_any_query_language(text):
    for word in [*indexed(text), *words_of(text)]:
        assert word
        assert not set(word) & set(" \t\r\n'\"\\*:&|!()<>^\x00")
