"""Attachments: files and links on leads and comments, made, deleted, and given out for three minutes."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.base import File
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.db.models import F

from crm import files
from crm.contents import HEAD, clean_name, type_of
from crm.models import Attachment, Comment, Lead
from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import Account
from pipelime.changing import check_belongs, checked, reread
from pipelime.errors import Invalid, NotFound
from pipelime.events.recording import record
from pipelime.scope import every_account

FOLDER = "attachments"
VALID = 180  # seconds that a signed address works
SIGNER = TimestampSigner(salt="crm.attachments")
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff", "image/heic")


def attach_file(
    *,
    by,
    file: File,
    lead: Lead | None = None,
    comment: Comment | None = None,
    kind: str = Attachment.Kind.FILE,
    name: str | None = None,
) -> Attachment:
    """Keep a file. It is stored first, and deleted again when its row cannot be written."""
    if kind not in Attachment.STORED:
        raise Invalid(f"kind: a file is {' or '.join(Attachment.STORED)}, not {kind!r}", field="kind")
    check_size(file)
    shown = clean_name(name or file.name or "")
    content_type = type_of(beginning(file), shown)
    if kind == Attachment.Kind.BUSINESS_CARD and content_type not in PICTURES:
        raise Invalid(f"{shown} is no picture but {content_type}; a business card is one", field="file")
    kept = files.keep(FOLDER, account_id_of(lead, comment), file)
    try:
        return write(
            lead, comment, by=by, kind=kind, name=shown,
            file=kept.name, content_type=content_type, size=kept.size, sha256=kept.sha256,
        )  # fmt: skip
    except BaseException:
        files.discard(kept.name)
        raise


def attach_link(
    *, by, url: str, name: str, kind: str, lead: Lead | None = None, comment: Comment | None = None
) -> Attachment:
    """A page elsewhere, such as an invoice in somebody's books."""
    if kind in Attachment.STORED:
        raise Invalid(f"kind: {kind} is a file of ours; a link has another kind", field="kind")
    values = checked(Attachment, {"url": url, "kind": kind})
    check_link(values["url"])
    return write(lead, comment, by=by, name=clean_name(name, "link"), **values)


@transaction.atomic
def delete_attachment(attachment: Attachment, *, by) -> None:
    """The file goes when the transaction has committed, and what the lead knows of it goes at once."""
    record("attachment.deleted", reread(attachment), by=by)
    leads = Lead.objects.filter(pk=attachment.lead_id)
    leads.update(attachment_count=F("attachment_count") - 1)
    leads.filter(business_card_id=attachment.pk).update(business_card_id=None)
    if attachment.file:
        files.discard_on_commit(attachment.file)
    attachment.delete()


def delete_attachments_of(comment: Comment, *, by) -> None:
    """For whoever deletes the comment, in that transaction."""
    for attachment in list(comment.attachments.all()):
        delete_attachment(attachment, by=by)


@transaction.atomic
def write(lead: Lead | None, comment: Comment | None, *, by, **values) -> Attachment:
    """The row, and what its lead keeps of it."""
    account_id = account_id_of(lead, comment)
    if comment is not None:
        reread(comment)
        if lead is not None and comment.lead_id != lead.pk:
            raise Invalid("This comment is about something else than the lead", field="comment")
        lead = comment.lead
    if lead is not None:
        check_belongs(reread(lead), account_id, field="lead")
    attachment = Attachment.objects.create(
        account_id=account_id,
        lead=lead,
        comment=comment,
        created_by=person_acting(by, account_id),
        **values,
    )
    note(attachment)
    record("attachment.created", attachment, by=by)
    return attachment


def note(attachment: Attachment) -> None:
    """Leads keep how many files they have, because lists show it, and which one is a business card."""
    lead = attachment.lead
    if lead is None:
        return
    values: dict = {"attachment_count": F("attachment_count") + 1}
    lead.attachment_count += 1
    if attachment.kind == Attachment.Kind.BUSINESS_CARD:
        values["business_card_id"] = lead.business_card_id = attachment.pk
    Lead.objects.filter(pk=lead.pk).update(**values)


def account_id_of(lead: Lead | None, comment: Comment | None) -> int:
    subject = comment or lead
    if subject is None:
        raise Invalid("An attachment belongs on a lead or on a comment; name one", field="lead")
    return subject.account_id


def beginning(file: File) -> bytes:
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    return head


def check_size(file: File) -> None:
    if not file.size:
        raise Invalid("The file is empty", field="file")
    if file.size > settings.ATTACHMENT_LIMIT:
        megabytes = settings.ATTACHMENT_LIMIT // (1024 * 1024)
        raise Invalid(
            f"The file has {file.size:,} bytes; at most {megabytes} MB can be attached",
            field="file",
            rule="file_too_large",
        )


def check_link(url: str) -> None:
    """What a browser may be sent to; never script, data or a file of the reader's machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or any(ord(mark) <= 32 for mark in url):
        raise Invalid(f"url: {url[:100]!r} is no address; write it like https://example.com/1", field="url")


def signed_url(attachment: Attachment) -> str:
    """Where anybody may fetch the file for the next three minutes."""
    if not attachment.is_stored:
        raise Invalid(
            f"{attachment.name} is a link to {attachment.url}, not a file to download", field="kind"
        )
    return f"{settings.PIPELIME_URL}/files/{SIGNER.sign(attachment.uid.hex)}"


def attachment_of(token: str) -> Attachment:
    """The file that a signed address gives out; NotFound for every reason, so that none can be told apart."""
    try:
        uid = SIGNER.unsign(token, max_age=VALID)
    except BadSignature:
        raise NotFound("This link does not work any more; ask for a new one") from None
    with every_account():
        found = Attachment.objects.select_related("account").filter(uid=uid, file__gt="").first()
    if found is None or found.account.is_suspended:
        raise NotFound("This link does not work any more; ask for a new one")
    return found


def prune() -> dict[str, int]:
    """Delete files that no row names: what was stored in transactions that never committed."""
    deleted = 0
    for account_id in list(Account.objects.values_list("pk", flat=True)):
        for names in files.stored(FOLDER, account_id):
            named = set(Attachment.objects.filter(file__in=names).values_list("file", flat=True))
            for name in set(names) - named:
                files.discard(name)
                deleted += 1
    return {"attachment_files": deleted}
