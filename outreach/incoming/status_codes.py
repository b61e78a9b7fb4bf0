"""What a server's refusal is about, by its codes (RFC 3463, RFC 5321), or else by its words."""

from __future__ import annotations

import re
from enum import StrEnum


class Blame(StrEnum):
    """Whose fault a refusal is, and thus what follows from it."""

    ADDRESS = "address"  # nobody is reached there, now or later
    SENDER = "sender"  # they do not want mail from us, whoever it is for
    TIME = "time"  # full, busy or unreachable: it may work another day
    MESSAGE = "message"  # this mail, to this address; neither of them is barred for it


ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
BASIC = re.compile(r"(?<![\d.])([45]\d\d)(?=[ -])")
DEAD = re.compile(r"5\.1\.\d+|5\.2\.1|5\.4\.(?:1|4|310)")
BAD_SENDER = re.compile(r"5\.1\.[78]|5\.7\.\d+")
# Of Exchange: this recipient, mostly a group, takes mail from few. No judgement of the sender.
CLOSED_RECIPIENT = re.compile(r"5\.7\.(?:12[49]|13[3-6])")
FULL = "5.2.2"
SAYS_NOTHING = ("", "5.0.0")
NO_SUCH_MAILBOX = (550, 551, 553)  # of servers that say no more
OVER_QUOTA = 552

FULL_WORDS = r"(?:mailbox|inbox|account) (?:is )?(?:over.?)?full|quota|insufficient (?:system )?storage"
SENDER_WORDS = (
    r"\bspam\b|block(?:ed|list)|blacklist|reputation|\bdmarc\b|\bspf\b|\bdkim\b|unauthenticated|policy"
)
ADDRESS_WORDS = (
    r"(?:user|recipient|mailbox|address|account)[^.\n]{0,40}"
    r"(?:unknown|not found|(?:does(?: not|n't)|no longer) exist|invalid|disabled|unavailable)"
    r"|(?:unknown|no such|invalid) (?:user|recipient|mailbox|address|domain)"
    r"|(?:does not|doesn't) have an? \S{1,80} account|no mailbox here|host (?:or domain )?(?:name )?not found"
)
MEANINGS = {
    Blame.TIME: re.compile(FULL_WORDS, re.IGNORECASE),
    Blame.SENDER: re.compile(SENDER_WORDS, re.IGNORECASE),
    Blame.ADDRESS: re.compile(ADDRESS_WORDS, re.IGNORECASE),
}


def blame(enhanced: str = "", code: int = 0, words: str = "") -> Blame:
    """`enhanced` is a status such as 5.1.1, `code` a reply's three digits; both are looked for in `words`."""
    enhanced = enhanced or enhanced_in(words)
    code = code or basic_in(words)
    if enhanced.startswith("4.") or (not enhanced and 400 <= code < 500):
        return Blame.TIME
    if enhanced in SAYS_NOTHING:
        return by_words(code, words)
    if enhanced == FULL:
        return Blame.TIME
    if CLOSED_RECIPIENT.fullmatch(enhanced):
        return Blame.MESSAGE
    if BAD_SENDER.fullmatch(enhanced):
        return Blame.SENDER
    return Blame.ADDRESS if DEAD.fullmatch(enhanced) else Blame.MESSAGE


def by_words(code: int, words: str) -> Blame:
    for meant, pattern in MEANINGS.items():
        if pattern.search(words):
            return meant
    if code == OVER_QUOTA:
        return Blame.TIME
    return Blame.ADDRESS if code in NO_SUCH_MAILBOX else Blame.MESSAGE


def enhanced_in(words: str) -> str:
    """The first one that says something: mail programs like to write their own 5.0.0 in front."""
    found = ENHANCED.findall(words)
    return next((status for status in found if status not in SAYS_NOTHING), found[0] if found else "")


def basic_in(words: str) -> int:
    found = BASIC.search(words)
    return int(found[1]) if found else 0
