"""Comments on leads, contacts, companies, prospecting lists and their rows."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from crm import lead_keys
from crm.activities import check_type
from crm.attachments import delete_attachments_of
from crm.models import ActivityType, Comment, Company, Contact, Lead, Prospect, ProspectingList
from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import User
from pipelime.changing import assign, check_belongs, check_text, gone, reread
from pipelime.errors import Invalid
from pipelime.events.recording import record

LONGEST = 100_000
# What keeps the number of its comments, because lists show it.
COUNTING = ("lead", "prospecting_list", "prospect")
Subject = Lead | Contact | Company | ProspectingList | Prospect


@transaction.atomic
def create_comment(
    subject: Subject,
    *,
    by,
    content: str,
    author: User | None = None,
    activity_type: ActivityType | None = None,
) -> Comment:
    """`author` is who is said to have written it; without one, whoever calls.

    With an `activity_type` the comment is the note of that activity.
    """
    check_belongs(author, subject.account_id, field="author")
    if activity_type is not None:
        check_type(activity_type, subject.account_id, field="activity_type")
    content = check_content(content)
    reread(subject)
    if isinstance(subject, Prospect) and subject.prospecting_list.deleted_at is not None:
        raise gone(subject)
    comment = Comment.objects.create(
        account_id=subject.account_id,
        content=content,
        author=author or person_acting(by, subject.account_id),
        activity_type=activity_type,
        **{name_of(subject): subject},  # type: ignore[dict-item]
    )
    count(comment, 1)
    index(comment)
    record("comment.created", comment, by=by)
    return comment


@transaction.atomic
def update_comment(comment: Comment, *, by, content: str) -> Comment:
    changed = assign(reread(comment), {"content": check_content(content)})
    if changed:
        comment.updated_at = timezone.now()
        comment.save(update_fields=["content", "updated_at"])
        index(comment)
        record("comment.updated", comment, by=by, changes=changed)
    return comment


@transaction.atomic
def delete_comment(comment: Comment, *, by) -> None:
    record("comment.deleted", reread(comment), by=by)
    delete_attachments_of(comment, by=by)
    count(comment, -1)
    if comment.lead_id is not None:
        lead_keys.forget_comment(comment)
    comment.delete()


def name_of(subject: Subject) -> str:
    """The column of a comment that names this kind of thing."""
    of = Comment._meta.get_field
    return next(name for name in Comment.SUBJECTS if isinstance(subject, of(name).related_model))


def count(comment: Comment, step: int) -> None:
    name = name_of(comment.subject)
    if name not in COUNTING:
        return
    subject = comment.subject
    counted = Greatest(F("comment_count") + step, 0)
    type(subject).objects.filter(pk=subject.pk).update(comment_count=counted)
    subject.comment_count = max(subject.comment_count + step, 0)


def index(comment: Comment) -> None:
    """A lead is found by the addresses that its comments name."""
    if comment.lead_id is not None:
        lead_keys.index_comment(comment)


def check_content(content: str) -> str:
    try:
        text = check_text(content, strip=False)
    except ValidationError as error:
        raise Invalid(f"content {error.messages[0]}", field="content") from None
    if not text.strip():
        raise Invalid("content is blank; a comment says something", field="content")
    if len(text) > LONGEST:
        raise Invalid(f"content has {len(text)} characters; at most {LONGEST} fit", field="content")
    return text
