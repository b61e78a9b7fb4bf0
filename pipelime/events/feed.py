"""Events as sentences for people."""

from __future__ import annotations

from pipelime.events.models import Event
from pipelime.events.names import SENTENCES

TITLES = ("title", "name", "email", "url", "value", "subject", "to")


def sentence(event: Event) -> str:
    """One line such as "Ada Lovelace moved the lead Loretta Inc. to another step"."""
    words = SENTENCES.get(event.name, event.name.replace("_", " ").replace(".", " "))
    text = words.format_map(Words(event.facts, subject=subject_title(event)))
    if words.startswith("{subject}"):
        return text
    if words.startswith("the "):
        return text[0].upper() + text[1:]
    return f"{event.actor_name or 'Pipelime'} {text}"


class Words(dict[str, object]):
    """What a sentence may name of its subject. Events of earlier days may know less."""

    def __missing__(self, name: str) -> str:
        return f"its {name}"


def subject_title(event: Event) -> str:
    facts = event.facts
    for key in TITLES:
        if facts.get(key):
            return str(facts[key])
    return f"no. {event.subject_id}"
