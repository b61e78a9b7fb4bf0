"""Comments as this API takes and writes them, whatever they are about."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from crm.attachments import attach_file
from crm.comments import Subject, create_comment
from crm.models import ActivityType, Attachment, Comment
from pipelime.accounts.models import User
from pipelime.api.propipelines.attachments import attachment_shape
from pipelime.api.propipelines.lead_facts import activity_type
from pipelime.api.propipelines.parameters import known_person, moment
from pipelime.api.propipelines.people import user_shape
from pipelime.api.propipelines.resources import ProPipeLinesViewSet

# What the document calls the things that comments are about, by our names of them.
ITEMS = {"lead": "Lead", "prospecting_list": "Spreadsheet", "prospect": "SpreadsheetRow"}


def comment_on(view: ProPipeLinesViewSet, subject: Subject) -> Comment:
    """The comment that a request's body describes, with its files."""
    content = view.needed("content")
    with transaction.atomic():
        comment = create_comment(
            subject, by=view.by, content=content, author=author(view), activity_type=noted_activity(view)
        )
        for file in files_in(view.request.data):
            attach_file(by=view.by, file=file, comment=comment)
    return comment


def author(view: ProPipeLinesViewSet) -> User | None:
    """A person comments as that person, whatever the body says; a program may name one."""
    given = view.body().get("user_id")
    if view.caller.user is not None or given in (None, ""):
        return None
    return known_person(given)


def noted_activity(view: ProPipeLinesViewSet) -> ActivityType | None:
    given = view.body().get("activity_id")
    return None if given in (None, "") else activity_type(given, "activity_id")


def files_in(data: Any) -> list[UploadedFile]:
    """One file or several, under `attachments` or `attachments[]`; a JSON body has none."""
    if not hasattr(data, "getlist"):
        return []
    found = [*data.getlist("attachments"), *data.getlist("attachments[]")]
    return [file for file in found if isinstance(file, UploadedFile)]


def comment_shape(comment: Comment) -> dict[str, Any]:
    """Prefetch `attachments`, select `author`."""
    item = next(name for name in ITEMS if getattr(comment, f"{name}_id"))
    return {
        "id": comment.pk,
        "content": comment.content,
        "commented_item": {"item": ITEMS[item], "id": getattr(comment, f"{item}_id")},
        "created_at": moment(comment.created_at),
        "attachments": [attached_shape(attachment) for attachment in comment.attachments.all()],
        "activity_id": comment.activity_type_id,
        "user": user_shape(comment.author),
    }


def attached_shape(attachment: Attachment) -> dict[str, Any]:
    shape = attachment_shape(attachment)
    return {**shape, "permalink": shape["url"]}
