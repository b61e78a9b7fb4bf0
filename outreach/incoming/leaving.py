"""Mails that say nothing but "write to me no more"."""

from __future__ import annotations

import re

TOKEN = re.compile(r"\bunsubscribe[\s:_-]+([A-Za-z0-9_-]{38})\b", re.IGNORECASE)
WAYS = {
    "unsubscribe", "unsubscribe me", "stop", "stop it", "remove", "remove me", "opt out", "optout",
    "abmelden", "abbestellen", "austragen", "abmeldung",
    "désinscription", "désinscrire", "désabonner", "désabonnement", "me désinscrire", "me désabonner",
    "stop pub", "desinscription", "desabonnement",
    "baja", "dar de baja", "darme de baja", "cancelar suscripción", "cancelar suscripcion",
    "disiscrivimi", "cancellami", "uitschrijven", "afmelden", "descadastrar", "remover",
    "配信停止", "配信停止希望", "購読解除", "解除", "退会",
}  # fmt: skip
POLITE = re.compile(
    r"^(?:please|bitte|merci de|por favor|per favore|graag)\s+|\s+(?:please|bitte|merci|por favor)$"
)
MARKS = re.compile(r"[^\w\s'’-]+")


def token_in(subject: str) -> str:
    """The signed token of one of our mails, in the subject that its List-Unsubscribe header asks for."""
    found = TOKEN.search(subject)
    return found[1] if found else ""


def wants_out(subject: str, words: str) -> bool:
    """By the first line alone; a mail without words says it in its subject."""
    first = next((line for line in words.splitlines() if line.strip()), subject)
    said = " ".join(MARKS.sub(" ", first.casefold()).split())
    return POLITE.sub("", said).strip() in WAYS
