"""Days as people write them in mails, in English, German, French, Spanish and Japanese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

MOST_WORDS = 4000  # characters that are looked at
MONTHS = (
    "jan(?:uary|uar|vier|v)?|jänner|ene(?:ro)?",
    "feb(?:ruary|ruar|rero)?|févr?(?:ier)?|fevr?(?:ier)?",
    "mar(?:ch|s|zo)?|märz|maerz|mrz",
    "apr(?:il)?|avr(?:il)?|abr(?:il)?",
    "may|mai|mayo",
    "june?|juni?|juin|junio",
    "july?|juli?|juil(?:let)?|julio",
    "aug(?:ust)?|août|aout|ago(?:sto)?",
    "sept?(?:ember|embre|iembre)?|set(?:iembre)?",
    "oct(?:ober|obre|ubre)?|okt(?:ober)?",
    "nov(?:ember|embre|iembre)?",
    "dec(?:ember)?|dez(?:ember)?|déc(?:embre)?|dic(?:iembre)?",
)
WEEKDAYS = (
    "monday|montag|lundi|lunes|月曜日?",
    "tuesday|dienstag|mardi|martes|火曜日?",
    "wednesday|mittwoch|mercredi|miércoles|miercoles|水曜日?",
    "thursday|donnerstag|jeudi|jueves|木曜日?",
    "friday|freitag|vendredi|viernes|金曜日?",
    "saturday|samstag|sonnabend|samedi|sábado|sabado|土曜日?",
    "sunday|sonntag|dimanche|domingo|日曜日?",
)
NAMED = "|".join(f"(?P<m{number}>{names})" for number, names in enumerate(MONTHS, 1))
YEAR = r"(?:,?\s+(?:de\s+|del\s+)?(?P<year>20\d\d))?"
DAY = r"(?P<day>[0-3]?\d)"

ISO = re.compile(r"(?<!\d)(?P<year>20\d\d)[-/.](?P<month>[01]?\d)[-/.](?P<day>[0-3]?\d)(?!\d)")
JAPANESE = re.compile(r"(?:(?P<year>20\d\d)年\s?)?(?P<month>[01]?\d)月\s?(?P<day>[0-3]?\d)日")
GERMAN = re.compile(
    r"(?<![\d.])(?P<day>[0-3]?\d)\.\s?(?P<month>[01]?\d)\.(?:\s?(?P<year>(?:20)?\d\d)(?!\d))?"
)
SLASHED = re.compile(
    r"(?<![\d/])(?P<first>[0-3]?\d)[/-](?P<second>[0-3]?\d)(?:[/-](?P<year>(?:20)?\d\d))?(?![\d/])"
)
DAY_FIRST = re.compile(
    rf"(?<!\d){DAY}(?:st|nd|rd|th|er|\.|º)?\s+(?:of\s+|de\s+)?(?:{NAMED})\b\.?{YEAR}", re.IGNORECASE
)
MONTH_FIRST = re.compile(rf"\b(?:{NAMED})\b\.?\s+{DAY}(?:st|nd|rd|th)?(?!\d){YEAR}", re.IGNORECASE)
WEEKDAY = re.compile(
    "|".join(rf"(?P<w{number}>\b(?:{names}))" for number, names in enumerate(WEEKDAYS)), re.IGNORECASE
)
THAT_WEEKDAY = re.compile(rf"\b(?:{'|'.join(WEEKDAYS)}),?\s+(?:the |den |dem |le |el )?\Z", re.IGNORECASE)
LONGEST_WEEKDAY = 20
TOMORROW = re.compile(r"\b(?:tomorrow|morgen|demain|mañana)\b|明日", re.IGNORECASE)
HALF_A_YEAR = timedelta(days=183)


class Found(NamedTuple):
    """A day, and where in the text it stands."""

    begin: int
    end: int
    day: date


def days_in(text: str, today: date) -> Iterator[Found]:
    """In no order. Without a year the nearest such day is meant, of weekdays the next one after `today`."""
    text = text[:MOST_WORDS]
    taken: list[tuple[int, int]] = []
    for pattern in (ISO, JAPANESE, GERMAN, SLASHED, DAY_FIRST, MONTH_FIRST, WEEKDAY, TOMORROW):
        for match in pattern.finditer(text):
            free = not any(begin < match.end() and match.start() < end for begin, end in taken)
            if free and (day := day_of(match, today)):
                begin = match.start() - len(weekday_before(text, match.start()))
                taken.append((begin, match.end()))
                yield Found(begin, match.end(), day)


def weekday_before(text: str, at: int) -> str:
    """The "Monday, " of "Monday, November 30", which is no day of its own."""
    found = THAT_WEEKDAY.search(text[max(0, at - LONGEST_WEEKDAY) : at])
    return found[0] if found else ""


def day_of(match: re.Match[str], today: date) -> date | None:
    groups = match.groupdict()
    if match.re is TOMORROW:
        return today + timedelta(days=1)
    if match.re is WEEKDAY:
        weekday = next(number for number in range(7) if groups[f"w{number}"])
        return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
    if match.re is SLASHED:
        first, second = int(groups["first"]), int(groups["second"])
        return either_order(first, second, groups["year"], today)
    month = groups.get("month") or next(number for number in range(1, 13) if groups[f"m{number}"])
    return nearest(int(month), int(groups["day"]), groups["year"], today)


def either_order(first: int, second: int, year: str | None, today: date) -> date | None:
    """Day and month in Europe, month and day in America: whichever is a day to come, the sooner one of two.

    Absences are mostly short, and a mail that comes too soon meets with the same notice once more.
    """
    meant = {nearest(second, first, year, today), nearest(first, second, year, today)}
    possible = [day for day in meant if day and today <= day <= today + timedelta(days=60)]
    return min(possible, default=None)


def nearest(month: int, day: int, year: str | None, today: date) -> date | None:
    try:
        if year:
            return date(int(year) % 100 + 2000, month, day)
        found = date(today.year, month, day)
        return found if found > today - HALF_A_YEAR else date(today.year + 1, month, day)
    except ValueError:
        return None
