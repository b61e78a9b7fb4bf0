"""Notices of absence: whether a machine's words are one, and the day that they promise somebody back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from outreach.incoming import dates

FURTHEST = timedelta(days=60)
NOTICES = (
    r"out of (?:the )?office|on (?:vacation|holiday|leave|parental leave|maternity leave)|annual leave",
    r"away from|i am away|i['’]?m away|am currently away|not in the office|be back|will return",
    r"limited access to (?:my )?e-?mail",
    r"abwesen|nicht im (?:büro|haus)|im urlaub|in urlaub|außer haus|nicht erreichbar|elternzeit",
    r"wieder (?:da|erreichbar|im büro|zurück)",
    r"absent|en congé|en vacances|congés|de retour|hors du bureau|en déplacement",
    r"fuera de la oficina|de vacaciones|ausente|de baja|estaré fuera|no estaré|regreso|vuelvo|regresaré",
    r"fuori ufficio|in ferie|afwezig|férias",
    r"不在|休暇|休業|お休み|出張|夏季休|年末年始",
)
# What stands right before the day of the return, in European languages; in Japanese it stands behind.
RETURNS = (
    r"until|till|through|back(?: in the office)?(?: on| by)?|return(?:ing)?(?: to the office)?(?: on)?",
    r"available again(?: on| from)?",
    r"bis(?: einschließlich)?(?: zum| einschl\.)?|wieder(?: \w+)?(?: am| ab)?|zurück(?: am| ab)?",
    r"ab(?: dem)?|erreichbar(?: ab| am)?",
    r"jusqu['’]?(?:au|à|a)?(?: inclus)?|de retour(?: au bureau)?(?: le)?|à partir du|retour(?: le)?",
    r"reviens le|reviendrai le",
    r"hasta(?: el)?|(?:regreso|regresaré|vuelvo|volveré)(?: el)?|a partir del",
    r"fino al|tot(?: en met)?|até",
)
ARTICLES = r"(?:inclusive|including|le|el|the|am|on|dem|der|den|au|al|day|dia|día)"
NOTICE = re.compile("|".join(NOTICES), re.IGNORECASE)
BEFORE = re.compile(rf"(?:{'|'.join(RETURNS)})[\s:,]*{ARTICLES}?[\s:,]*\Z", re.IGNORECASE)
AFTER = re.compile(
    r"\s*(?:[（(].[）)])?\s*(?:まで|に(?:戻|復帰|出社)|より(?:出社|復帰|通常)|から(?:出社|復帰|通常))"
)


def is_notice(subject: str, words: str) -> bool:
    return bool(NOTICE.search(subject) or NOTICE.search(words))


def back_on(words: str, written: date) -> date | None:
    """The day of the return, if a day within the next sixty is named for it.

    Of several the last one that is said to be an end or a return; else the last one of all, as in
    "from 10 to 24 November".
    """
    said, others = [], []
    for found in within_reach(words, written):
        (said if is_return(words, found) else others).append(found.day)
    return max(said or others, default=None)


def within_reach(words: str, written: date) -> Iterator[dates.Found]:
    return (found for found in dates.days_in(words, written) if written <= found.day <= written + FURTHEST)


def is_return(words: str, found: dates.Found) -> bool:
    return bool(
        BEFORE.search(words[max(0, found.begin - 60) : found.begin]) or AFTER.match(words[found.end :])
    )
