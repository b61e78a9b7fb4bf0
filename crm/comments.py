"""Comments on leads, contacts and companies."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from crm.models import Comment, Company, Contact, Lead
from pipelime.accounts.models import User
from pipelime.changing import assign, check_belongs, check_text, reread
from pipelime.errors import Invalid
from pipelime.events.recording import record

LONGEST = 100_000


@transaction.atomic
def create_comment(
    subject: Lead | Contact | Company, *, by, content: str, author: User | None = None
) -> Comment:
    """`author` is who is said to have written it; without one, whoever calls."""
    check_belongs(author, subject.account_id, field="author")
    content = check_content(content)
    reread(subject)
    if author is None and isinstance(by, User) and by.account_id == subject.account_id:
        author = by
    comment = Comment.objects.create(
        account_id=subject.account_id,
        content=content,
        author=author,
        **{subject._meta.model_name: subject},  # type: ignore[dict-item]
    )
    count(comment, 1)
    record("comment.created", comment, by=by)
    return comment


@transaction.atomic
def update_comment(comment: Comment, *, by, content: str) -> Comment:
    changed = assign(reread(comment), {"content": check_content(content)})
    if changed:
        comment.updated_at = timezone.now()
        comment.save(update_fields=["content", "updated_at"])
        record("comment.updated", comment, by=by, changes=changed)
    return comment


@transaction.atomic
def delete_comment(comment: Comment, *, by) -> None:
    record("comment.deleted", reread(comment), by=by)
    count(comment, -1)
    comment.delete()


def count(comment: Comment, step: int) -> None:
    """Leads keep the number of their comments, because lists show it."""
    if comment.lead_id is None:
        return
    Lead.objects.filter(pk=comment.lead_id).update(comment_count=F("comment_count") + step)
    if comment.lead is not None:
        comment.lead.comment_count += step


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
