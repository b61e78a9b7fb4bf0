from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.incoming.absence import back_on, is_notice

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("back on 2026-11-30", date(2026, 11, 30)),
        ("I will return on November 30th, 2026.", date(2026, 11, 30)),
        ("I'm out until 30 Nov and then back", date(2026, 11, 30)),
        ("back on Monday, November 30", date(2026, 11, 30)),
        ("out until Monday", date(2026, 11, 23)),
        ("out until Friday", date(2026, 11, 27)),
        ("back tomorrow", date(2026, 11, 21)),
        ("back on 11/30/2026", date(2026, 11, 30)),
        ("back on 30/11/2026", date(2026, 11, 30)),
        ("back on 12/01", date(2026, 12, 1)),
        ("away from 23 to 27 November", date(2026, 11, 27)),
        ("Ich bin ab dem 1. Dezember wieder da", date(2026, 12, 1)),
        ("bis 04.12. nicht im Büro", date(2026, 12, 4)),
        ("bis zum 4.12.26 im Urlaub", date(2026, 12, 4)),
        ("vom 23.11. bis 27.11.2026 abwesend", date(2026, 11, 27)),
        ("wieder erreichbar am Dienstag", date(2026, 11, 24)),
        ("zurück am 7. Jänner", date(2027, 1, 7)),
        ("absente jusqu'au 1er décembre", date(2026, 12, 1)),
        ("de retour le lundi 7 décembre 2026", date(2026, 12, 7)),
        ("de retour mardi", date(2026, 11, 24)),
        ("hasta el 2 de diciembre de 2026", date(2026, 12, 2)),
        ("regreso el lunes", date(2026, 11, 23)),
        ("11月27日まで休暇", date(2026, 11, 27)),
        ("2026年11月30日(月)に戻ります", date(2026, 11, 30)),
        ("12/1まで不在にしております", date(2026, 12, 1)),
        ("mein Vertrag läuft seit dem 1. November, bis 24. November im Urlaub", date(2026, 11, 24)),
        ("on leave until 3 January", date(2027, 1, 3)),
    ],
)
def test_the_day_of_the_return(words, day):
    assert back_on(words, FRIDAY) == day


@pytest.mark.parametrize(
    "words",
    [
        "on parental leave",
        "until 1 September 2027",
        "away since 10 November 2026",
        "back on 31.02.2027",
        "Call +49 30 12.34.56 or write to room 11/2026/77",
        "version 2.11.4 of our terms",
    ],
)
def test_no_day_within_the_next_sixty_is_none(words):
    assert back_on(words, FRIDAY) is None


@pytest.mark.parametrize(
    ("words", "is_one"),
    [
        ("I am out of the office", True),
        ("Ich bin im Urlaub", True),
        ("Je suis en congé", True),
        ("Estaré fuera de la oficina", True),
        ("休暇をいただいております", True),
        ("Your ticket 4711 was opened", False),
    ],
)
def test_what_tells_of_an_absence(words, is_one):
    assert is_notice("Automatic reply", words) is is_one


@settings(deadline=None, max_examples=40)
@given(
    st.text(alphabet="0123456789/.-年月日 until bis Monday Nov,", max_size=200), st.dates(date(2000, 1, 1))
)
def test_a_return_lies_within_sixty_days_or_is_none(words, today):
    found = back_on(words, min(today, date(9998, 1, 1)))

    assert found is None or 0 <= (found - min(today, date(9998, 1, 1))).days <= 60
