"""The subjects of a page of a plan, as these contacts would read them: a constant number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from outreach.foresight.plans import Row
from outreach.letters import answer_to, template_data
from outreach.models import Campaign, EmailAccount, Enrolment, Message, SequenceStep
from outreach.scheduling import Via
from outreach.templating import TemplateInvalid, VariableMissing, compile_template, render_line
from outreach.windows import step_of


class Subject(NamedTuple):
    """`text` is None where there is none, or where `problem` says why it cannot be said."""

    text: str | None
    problem: str = ""


class Shown(NamedTuple):
    """A row with all that a page says of it."""

    row: Row
    place: Enrolment
    channel: str
    sender_name: str
    sender_uid: object
    subject: Subject


def shown(campaign: Campaign, rows: Sequence[Row]) -> list[Shown]:
    ids = {row.enrolment_id for row in rows}
    places = Enrolment.objects.select_related("contact__company", "campaign__account").in_bulk(ids)
    writer = Writer(campaign, ids)
    found = []
    for row in rows:
        place, sender = places[row.enrolment_id], writer.sender(row)
        step = writer.steps.get(row.step_number)
        found.append(
            Shown(
                row,
                place,
                step.channel if step else "",
                str(sender) if sender else "",
                sender.uid if sender else None,
                writer.subject(row, place),
            )
        )
    return found


class Writer:
    """What subjects of one campaign are made from, read once."""

    def __init__(self, campaign: Campaign, enrolment_ids: set[int]) -> None:
        self.seed = bytes.fromhex(campaign.seed)
        self.steps = {step.number: step for step in campaign.steps.all()}
        self.mailboxes = {one.pk: one for one in campaign.mailboxes.all()}
        self.linkedin_accounts = {one.pk: one for one in campaign.linkedin_accounts.all()}
        mails = Message.objects.filter(
            enrolment__in=enrolment_ids, channel=Message.Channel.EMAIL, state=Message.State.SENT
        )
        self.threads = dict(
            mails.order_by("-pk").values_list("enrolment_id", "subject")
        )  # the first one stays

    def sender(self, row: Row):
        senders = self.linkedin_accounts if row.via is Via.LINKEDIN else self.mailboxes
        return senders.get(row.sender_id) if row.via is not Via.HAND and row.sender_id else None

    def subject(self, row: Row, place: Enrolment) -> Subject:
        step = self.steps.get(row.step_number)
        if step is None:
            return Subject(None)
        words = step.variant(row.variant)["subject"]
        try:
            if words.strip():
                return Subject(self.said(words, row, place))
            return Subject(self.in_thread(step, row, place) if row.via is Via.MAIL else None)
        except (VariableMissing, TemplateInvalid) as error:
            return Subject(None, str(error))

    def in_thread(self, step: SequenceStep, row: Row, place: Enrolment) -> str | None:
        """A mail without a subject of its own answers the first mail, sent already or yet to come."""
        if place.pk in self.threads:
            return answer_to(self.threads[place.pk])
        first = next((one for one in self.steps.values() if one.channel == step.Channel.EMAIL), step)
        words = first.variant(step_of(first).variant_for(self.seed, place.pk))["subject"]
        return answer_to(self.said(words, row, place)) if words.strip() else None

    def said(self, words: str, row: Row, place: Enrolment) -> str:
        # What a person does goes out from nobody's mailbox: the sender's values are blank then.
        mailbox = self.mailboxes.get(row.sender_id or 0) if row.via is Via.MAIL else None
        data = template_data(
            place.contact, place.address, mailbox or EmailAccount(), place.campaign, "https://example.com/"
        )
        return render_line(compile_template(words), data)
