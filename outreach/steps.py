"""The steps of a campaign: their channels, delays, conditions and variants, as they are given and stored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from outreach.models import Campaign, SequenceStep
from outreach.templating import TemplateInvalid, compile_template
from pipelime.errors import Invalid

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_STEPS = 30
DELAY_LIMITS = {"days": 365, "business_days": 260, "hours": 8760}
PARTS = ("channel", "delay", "condition", "subject", "body", "variants")
Channel = SequenceStep.Channel
# What LinkedIn takes, in characters.
LONGEST_TEXT = {Channel.LINKEDIN_INVITATION: 300, Channel.LINKEDIN_MESSAGE: 8000}
OUTPUT = re.compile(r"{{.*?}}", re.DOTALL)


def write_steps(campaign: Campaign, steps: Sequence[dict]) -> None:
    """Make the campaign's steps these. One that has begun keeps its steps, in order and by their channels."""
    if len(steps) > MOST_STEPS:
        raise Invalid(f"{len(steps)} steps; at most {MOST_STEPS}", field="steps")
    existing = {step.number: step for step in SequenceStep.objects.filter(campaign=campaign)}
    begun = campaign.status != Campaign.Status.DRAFT
    if begun and len(steps) < len(existing):
        raise Invalid(
            f"This campaign has begun; it keeps its {len(existing)} steps, whose words may change",
            field="steps",
        )
    for number, given in enumerate(steps, 1):
        step = existing.pop(number, None)
        if step is None:
            step = SequenceStep(account_id=campaign.account_id, campaign=campaign, number=number)
        elif begun:
            refuse_other_channel(step, given)
        fill_step(step, given)
        step.save()
    SequenceStep.objects.filter(pk__in=[step.pk for step in existing.values()]).delete()
    campaign._prefetched_objects_cache = {}  # noqa: SLF001  the steps read before are no longer these


def refuse_other_channel(step: SequenceStep, given: dict) -> None:
    if given.setdefault("channel", step.channel) != step.channel:
        raise Invalid(
            f"This campaign has begun; step {step.number} stays {step.get_channel_display()}, not "
            f"{given['channel']!r}. New steps may follow the last one",
            field=f"steps[{step.number - 1}]",
        )


def fill_step(step: SequenceStep, given: dict) -> None:
    where = f"steps[{step.number - 1}]"
    if unknown := set(given) - {*PARTS, "number"}:
        raise Invalid(f"A step has {', '.join(PARTS)}, not {sorted(unknown)[0]!r}", field=where)
    step.channel = one_of(given.get("channel", Channel.EMAIL), Channel.values, "channel", where)
    step.condition = one_of(
        given.get("condition") or "", ["", *SequenceStep.Condition.values], "condition", where
    )
    delay = given.get("delay") or {}
    if unknown := set(delay) - set(DELAY_LIMITS):
        raise Invalid(f"A delay has days, business_days and hours, not {sorted(unknown)[0]!r}", field=where)
    for unit, most in DELAY_LIMITS.items():
        value = delay.get(unit) or 0
        if not isinstance(value, int) or not 0 <= value <= most:
            raise Invalid(f"delay.{unit}: {value!r} is no whole number from 0 to {most}", field=where)
        setattr(step, f"delay_{unit}", value)
    step.variants = clean_variants(given, where)
    for variant in step.variants:
        refuse_too_long(step, variant["body"], where)


def one_of(value: Any, known: Sequence[str], what: str, where: str) -> str:
    if value not in known:
        raise Invalid(f"{value!r} is no {what}; use {', '.join(filter(None, known))}", field=where)
    return value


def refuse_too_long(step: SequenceStep, body: str, where: str) -> None:
    """Counted without its variables; a text with choices in it is measured for each contact."""
    most = LONGEST_TEXT.get(Channel(step.channel))
    if most is None or "{%" in body:
        return
    if (length := len(OUTPUT.sub("", body))) > most:
        raise Invalid(
            f"A {step.get_channel_display()} takes {most:,} characters; this text has {length:,}", field=where
        )


def clean_variants(given: dict, where: str) -> list[dict]:
    """[{key, weight, subject, body}] from either `variants` or a single subject and body."""
    variants = given.get("variants") or [{"subject": given.get("subject", ""), "body": given.get("body", "")}]
    if not isinstance(variants, list) or len(variants) > len(LETTERS):
        raise Invalid(f"variants is a list of at most {len(LETTERS)}", field=where)
    cleaned = [
        clean_variant(variant, letter, where) for variant, letter in zip(variants, LETTERS, strict=False)
    ]
    if not any(variant["weight"] for variant in cleaned):
        raise Invalid("At least one variant needs a weight above 0", field=where)
    return cleaned


def clean_variant(variant: dict, letter: str, where: str) -> dict:
    if unknown := set(variant) - {"key", "weight", "subject", "body"}:
        raise Invalid(f"A variant has weight, subject and body, not {sorted(unknown)[0]!r}", field=where)
    weight, subject, body = variant.get("weight", 1), variant.get("subject") or "", variant.get("body") or ""
    if not isinstance(weight, int) or isinstance(weight, bool) or not 0 <= weight <= 1000:
        raise Invalid(f"weight: {weight!r} is no whole number from 0 to 1000", field=where)
    for text in (subject, body):
        if not isinstance(text, str):
            raise Invalid("subject and body are texts", field=where)
        if "{{" in text or "{%" in text:
            refuse_uncompilable(text, where)
    return {"key": letter, "weight": weight, "subject": subject, "body": body}


def refuse_uncompilable(text: str, where: str) -> None:
    """Unknown names are told when the campaign starts."""
    try:
        compile_template(text)
    except TemplateInvalid as error:
        raise Invalid(str(error), field=where) from None


def told(step: SequenceStep) -> dict[str, Any]:
    """The step in the words that `write_steps` takes."""
    return {
        "channel": step.channel,
        "delay": {unit: getattr(step, f"delay_{unit}") for unit in DELAY_LIMITS},
        "condition": step.condition or None,
        "variants": step.variants,
    }
