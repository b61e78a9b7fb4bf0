"""What must be right before a campaign may start, and what its author had better look at."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.utils import timezone

from crm.models import Field
from outreach.deliverability import gate
from outreach.letters import KNOWN, draft, postal_address
from outreach.models import Campaign, SequenceStep
from outreach.templating import check
from outreach.windows import schedule_of

GAP = re.compile(r"\[[^\[\]\n]{3,150}\](?!\()")  # followed by a parenthesis it is a link
Channel, Condition = SequenceStep.Channel, SequenceStep.Condition


def problems(campaign: Campaign) -> list[str]:
    """Every reason why the campaign may not start, each a sentence that says what to do."""
    steps = list(campaign.steps.all())
    if not steps:
        return ["It has no steps: write at least one.", *mail_problems(campaign)]
    found = []
    if mails(steps):
        found += mail_problems(campaign)
    if any(step.channel in SequenceStep.LINKEDIN for step in steps):
        found += sender_problems(campaign.linkedin_accounts.all(), "LinkedIn account")
    if campaign.ends_on and schedule_of(campaign).next_open(timezone.now()) is None:
        found.append(f"It ended on {campaign.ends_on}: choose a later last day.")
    found += step_problems(campaign, steps)
    return found + gate.problems_of(campaign)


def warnings(campaign: Campaign) -> list[str]:
    """What may go wrong although nothing forbids the start."""
    return [*(gap for step in campaign.steps.all() for gap in gaps(step)), *gate.warnings_of(campaign)]


def gaps(step: SequenceStep) -> list[str]:
    """Places that the author of a template left to be filled in, such as [the event]."""
    found = {gap: None for variant in step.variants for text in (variant["subject"], variant["body"])
             for gap in GAP.findall(text)}  # fmt: skip
    return [f"Step {step.number} still says {gap}: write what belongs there." for gap in found]


def mails(steps: Sequence[SequenceStep]) -> list[SequenceStep]:
    return [step for step in steps if step.channel == Channel.EMAIL]


def mail_problems(campaign: Campaign) -> list[str]:
    found = sender_problems(campaign.mailboxes.all(), "mailbox")
    if not postal_address(campaign):
        found.append(
            "It has no postal address, which the law wants in every such mail: "
            "set the campaign's or the account's."
        )
    return found


def sender_problems(senders, what: str) -> list[str]:
    usable = [sender for sender in senders if sender.deleted_at is None]
    if not usable:
        return [f"It has no {what} to send from: choose at least one."]
    if all(sender.paused_at for sender in usable):
        return [f"Every {what} of it is paused ({usable[0].pause_reason}): resume one, or choose another."]
    return []


def step_problems(campaign: Campaign, steps: Sequence[SequenceStep]) -> list[str]:
    """What is wrong with the words and conditions."""
    known = KNOWN | set(Field.objects.filter(kind=Field.Kind.CONTACT).values_list("key", flat=True))
    found = []
    for position, step in enumerate(steps):
        earlier = steps[:position]
        found += word_problems(step, known, may_be_first=not any(not one.condition for one in mails(earlier)))
        if said := condition_problem(campaign, step, {one.channel for one in earlier}):
            found.append(f"Step {step.number} {said}")
    return found


def word_problems(step: SequenceStep, known: set[str], *, may_be_first: bool) -> list[str]:
    """`may_be_first` of a mail before which there may be no other: a thread begins with a subject."""
    found = []
    for variant in step.variants:
        where = f"Step {step.number}" + (f", variant {variant['key']}" if len(step.variants) > 1 else "")
        subject, body = variant["subject"], variant["body"]
        if step.channel == Channel.EMAIL and may_be_first and not subject.strip():
            found.append(f"{where} has no subject.")
        if step.channel in (Channel.EMAIL, Channel.LINKEDIN_MESSAGE) and not body.strip():
            found.append(f"{where} has no text.")
        if step.channel == Channel.TASK and not subject.strip():
            found.append(f"{where} has no title: say what is to be done.")
        faults = check(subject, known) + check(body, known)
        found += [f"{where}: {fault}." for fault in faults]
        if step.channel == Channel.EMAIL and not faults and "unsubscribe_url" not in draft_text(variant):
            found.append(f"{where} has no way to unsubscribe: put {{{{ unsubscribe_url }}}} into it.")
    return found


def condition_problem(campaign: Campaign, step: SequenceStep, earlier: set[str]) -> str:
    """Why a step's condition can never be met, or nothing."""
    if not step.condition:
        return ""
    if not earlier:
        return "comes first, so nothing can have happened before it: take its condition away."
    mailed, clicked = Channel.EMAIL in earlier, step.condition == Condition.CLICKED
    never = {
        "waits for a connection, but no LinkedIn step comes before it.":
            step.condition == Condition.CONNECTED and not earlier & set(SequenceStep.LINKEDIN),
        "waits for a click, but no e-mail comes before it.": clicked and not mailed,
        "waits for a click, but clicks are not tracked: switch that on, or take the condition away.":
            clicked and mailed and not campaign.track_clicks,
        "is for those who have replied, but the campaign stops for them: switch one of the two off.":
            step.condition == Condition.REPLIED and campaign.stop_on_reply,
    }  # fmt: skip
    return next((words for words, holds in never.items() if holds), "")


def draft_text(variant: dict) -> str:
    """The body as it will be sent, footer included."""
    made = draft(variant["subject"] or "-", variant["body"])
    return "".join(part.text for part in (made.text, made.html) if part is not None)
