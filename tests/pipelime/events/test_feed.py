"""History as sentences: who, what, about what."""

from __future__ import annotations

import pytest

from pipelime.events.feed import sentence
from pipelime.events.models import Event
from pipelime.events.names import NAMES, SENTENCES, matches, unknown


def event(name: str, /, *, actor: str = "Ada Lovelace", **facts) -> Event:
    return Event(name=name, actor_name=actor, subject_type="lead", subject_id=7, data={"object": facts})


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        (event("lead.created", title="Loretta Inc."), "Ada Lovelace created the lead Loretta Inc."),
        (event("contact.deleted", name="Grace Hopper"), "Ada Lovelace deleted the contact Grace Hopper"),
        (event("lead.created", actor="", title="Loretta Inc."), "Pipelime created the lead Loretta Inc."),
        (event("message.sent", actor="", to="a@b.example"), "a@b.example was mailed"),
        (event("campaign.finished", actor="", name="Spring"), "The campaign Spring finished"),
        (event("lead.updated"), "Ada Lovelace changed the lead no. 7"),
        (event("lead.moon_landed", title="Loretta"), "Ada Lovelace lead moon landed"),
    ],
)
def test_an_event_reads_as_a_sentence(happened, told):
    assert sentence(happened) == told


@pytest.mark.parametrize("text", ["{0}", "{subject.__class__}", "100 % {", "{{ x }}"])
def test_a_title_that_looks_like_a_template_stays_as_it_is(text):
    assert sentence(event("lead.created", title=text)) == f"Ada Lovelace created the lead {text}"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_name_has_a_sentence_that_can_be_written(name):
    told = sentence(event(name, title="Loretta"))

    assert "{" not in told
    assert told.startswith(("Ada Lovelace ", "The ", "Loretta ", "Nobody "))
    assert ("Loretta" in told) == ("{subject}" in SENTENCES[name])


@pytest.mark.parametrize(
    ("patterns", "heard"),
    [
        (["*"], True),
        (["lead.created"], True),
        (["lead.*"], True),
        (["lead.updated", "contact.*"], False),
        (["lea*"], False),
        (["leads.*"], False),
        ([], False),
    ],
)
def test_a_pattern_is_a_name_a_subject_or_everything(patterns, heard):
    assert matches("lead.created", patterns) is heard


def test_patterns_that_match_nothing_are_named():
    assert unknown(["*", "lead.*", "lead.created", "lead.creatd", "leads.*"]) == ["lead.creatd", "leads.*"]
