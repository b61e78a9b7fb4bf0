"""What becomes of a letter: a lead, a comment on the lead that it is about, or nothing, with the reason."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Q

from crm.attachments import attach_file
from crm.comments import LONGEST as LONGEST_COMMENT
from crm.comments import create_comment
from crm.descriptions import by_meaning, lead_fields, render
from crm.importing.values import email_key
from crm.leads import create_lead
from crm.models import ActivityType, Field, Lead, ReceivedMail
from crm.receiving.addresses import is_inbound
from crm.receiving.letters import Letter
from crm.receiving.tagging import tags_of
from crm.receiving.writers import contact_of, user_of
from pipelime.accounts.models import User
from pipelime.errors import Invalid

Outcome = ReceivedMail.Outcome
LONGEST_TITLE = 250
NAMELESS = "mail"  # where a lead comes from whose mail names no sender


class Filed(NamedTuple):
    """What became of a mail, and why, for the people who look at it."""

    outcome: str
    lead: Lead | None = None
    reason: str = ""


@transaction.atomic
def file_letter(mail: ReceivedMail, letter: Letter) -> Filed:
    """A user's mail to somebody else, with a blind copy for us, is about a lead; other mail is a new one."""
    if reason := letter.automatic or seen_before(mail, letter):
        return Filed(Outcome.IGNORED, reason=reason)
    user = user_of(letter)
    if user is None or any(map(is_inbound, letter.to)):
        return new_lead(mail, letter)
    others = [address for address in (*letter.to, *letter.cc) if not is_inbound(address)]
    if lead := lead_about(others, user):
        return on_lead(lead, letter, user)
    return lead_to(others, mail, letter, user)


def seen_before(mail: ReceivedMail, letter: Letter) -> str:
    """The same message by another way, with other headers, is no second lead."""
    if not letter.message_id:
        return ""
    same = ReceivedMail.objects.filter(message_id=letter.message_id, sender=letter.sender)
    same = same.filter(outcome__in=(Outcome.LEAD_CREATED, Outcome.ATTACHED)).exclude(pk=mail.pk)
    return "The same message had come in before" if same.exists() else ""


def new_lead(mail: ReceivedMail, letter: Letter) -> Filed:
    """Nobody's yet. What its text says of a person goes before who sent it."""
    facts: dict[str, Any] = {}
    names_somebody = Field.Meaning.EMAIL in by_meaning(letter.text, lead_fields())
    if not names_somebody and (contact := contact_of(mail.account, letter)):
        facts["contact"] = contact
    return made(mail, letter, by=None, description=letter.text, **facts)


def lead_to(others: list[str], mail: ReceivedMail, letter: Letter, user: User) -> Filed:
    """The first that is heard of whom a user has written to: the lead is theirs, and names the recipient."""
    names = Field.objects.filter(kind=Field.Kind.LEAD, meaning=Field.Meaning.EMAIL).values_list(
        "name", flat=True
    )
    lines = [(names.first() or "Email", address) for address in others[:1]]
    description = render(lines, letter.text) if lines else letter.text
    return made(mail, letter, by=user, description=description, owner=user)


def made(mail: ReceivedMail, letter: Letter, *, by: User | None, **facts: Any) -> Filed:
    title, tags = tags_of(letter.subject, letter.text)
    title = title or f"(no subject) {letter.sender}".strip()
    lead = create_lead(
        mail.account,
        by=by,
        title=cut(title),
        tags=tags,
        created_from=letter.sender[:254] or NAMELESS,
        **facts,
    )
    enclose(letter, by=by, lead=lead)
    return Filed(Outcome.LEAD_CREATED, lead, "; ".join(letter.notes))


def lead_about(addresses: list[str], user: User) -> Lead | None:
    """The newest open lead that the user sees and that one of these addresses belongs to."""
    keys = [email_key(address) for address in addresses]
    theirs = Q(keys__field=None, keys__value_key__in=keys) | Q(contact__emails__email_key__in=keys)
    seen = Lead.objects.alive().visible_to(user).exclude(status__in=Lead.CLOSED)
    return seen.filter(theirs).order_by("-id").first() if keys else None


def on_lead(lead: Lead, letter: Letter, user: User) -> Filed:
    kinds = ActivityType.objects.filter(kind=ActivityType.Kind.EMAIL, parent=None, is_disabled=False)
    content = f"{letter.subject}\n\n{letter.text}".strip() or "(no text)"
    comment = create_comment(
        lead,
        by=user,
        author=user,
        content=content[:LONGEST_COMMENT],
        activity_type=kinds.order_by("id").first(),
    )
    enclose(letter, by=user, comment=comment)
    Lead.objects.filter(pk=lead.pk).update(bcc_count=F("bcc_count") + 1)
    return Filed(Outcome.ATTACHED, lead, "; ".join(letter.notes))


def enclose(letter: Letter, *, by: User | None, **where: Any) -> None:
    """What cannot be kept is noted: the mail is worth a lead without it."""
    for enclosed in letter.enclosed:
        try:
            attach_file(by=by, file=ContentFile(enclosed.content, enclosed.name), **where)
        except Invalid as error:
            letter.notes.append(f"{enclosed.name} was left out: {error}")


def cut(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"
