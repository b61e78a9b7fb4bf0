"""Tags by name: found whatever their case, made when they are new; and the predefined ones, by category."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from crm.models import Tag, TagCategory
from pipelime.accounts.models import Account
from pipelime.changing import (
    assign,
    check_belongs,
    check_text,
    checked,
    conflict_when_taken,
    only_known,
    remember,
    reread,
)
from pipelime.errors import Conflict, Invalid
from pipelime.events.recording import record, record_all

LONGEST = 100
MOST = 100


def tags_named(account: Account, names: Iterable[str] | None, *, by=None) -> list[Tag]:
    """The tags of these names in the order given, each once. Must run inside a transaction."""
    wanted = spelt(names)
    if not wanted:
        return []
    found = by_key(wanted)
    if missing := [key for key in wanted if key not in found]:
        made = [Tag(account=account, name=wanted[key], name_key=key) for key in sorted(missing)]
        # Somebody else may make the same tag at this moment: theirs is as good as ours.
        Tag.objects.bulk_create(made, ignore_conflicts=True)
        found = by_key(wanted)
        ours = {tag.uid for tag in made}
        record_all("tag.created", [(tag, {}) for tag in found.values() if tag.uid in ours], by=by)
    return [found[key] for key in wanted]


def set_tags(row: models.Model, names: Iterable[str] | None, *, by) -> dict[str, list]:
    """Tags of these names and no others, on whatever has tags. Returns what changed, in history's words."""
    before = names_of(row.tags.all())
    tags = tags_named(row.account, names, by=by)
    if before == names_of(tags):
        return {}
    row.tags.set(tags)
    remember(row, tags=tags)
    return {"tags": [before, names_of(tags)]}


def names_of(tags: Iterable[Tag]) -> list[str]:
    return sorted((tag.name for tag in tags), key=str.casefold)


def by_key(keys: Iterable[str]) -> dict[str, Tag]:
    return {tag.name_key: tag for tag in Tag.objects.filter(name_key__in=list(keys))}


def spelt(names: Iterable[str] | None) -> dict[str, str]:
    """{key: name} of the names that are none blank, each once."""
    if isinstance(names, str):
        raise Invalid('tags is a list of names such as ["hot", "partner"], not one text', field="tags")
    wanted: dict[str, str] = {}
    for name in names or ():
        text = tag_name(name)
        if text:
            wanted.setdefault(text.casefold(), text)
    if len(wanted) > MOST:
        raise Invalid(f"{len(wanted)} tags are too many; at most {MOST} fit on one record", field="tags")
    return wanted


def tag_name(name: str) -> str:
    try:
        text = " ".join(check_text(name, strip=True).split())
    except ValidationError as error:
        raise Invalid(f"tags: {name!r} {error.messages[0]}", field="tags") from None
    if len(text.casefold()) > LONGEST:
        raise Invalid(f"The tag {text[:30]!r}… has over {LONGEST} characters", field="tags")
    return text


@transaction.atomic
def create_category(
    account: Account, *, by, name: str, is_required: bool = False, position: int | None = None
) -> TagCategory:
    values = checked(TagCategory, {"name": name, "is_required": is_required, "position": position})
    with category_taken(values["name"]):
        category = TagCategory.objects.create(account=account, **values)
    record("tag_category.created", category, by=by)
    return category


@transaction.atomic
def update_category(category: TagCategory, *, by, **changes: Any) -> TagCategory:
    only_known("a tag category", changes, ("name", "is_required", "position"))
    changed = assign(reread(category), checked(TagCategory, changes))
    if changed:
        with category_taken(category.name):
            category.save(update_fields=[*changed, "updated_at"])
        record("tag_category.updated", category, by=by, changes=changed)
    return category


@transaction.atomic
def delete_category(category: TagCategory, *, by) -> None:
    """Its tags stay, as free ones."""
    record("tag_category.deleted", reread(category), by=by)
    category.delete()


@transaction.atomic
def create_predefined_tag(
    account: Account, *, by, name: str, category: TagCategory, position: int | None = None
) -> Tag:
    """A free tag of this name joins the category; one that has a category already is a Conflict."""
    if category is None:
        raise Invalid("A predefined tag needs a category", field="category")
    check_belongs(category, account.pk, field="category")
    values = {"category": category, **checked(Tag, {"position": position})}
    name = needed_name(name)
    found = Tag.objects.select_for_update(no_key=True).filter(name_key=name.casefold()).first()
    if found is not None and found.category_id is not None:
        raise Conflict(
            f"The tag {found.name!r} belongs to the category {found.category} already",
            existing=str(found.uid),
            number=found.pk,
        )
    if found is not None:
        return changed_tag(found, values, by=by)
    with tag_taken(name):
        tag = Tag.objects.create(account=account, name=name, **values)
    record("tag.created", tag, by=by)
    return tag


@transaction.atomic
def update_tag(tag: Tag, *, by, **changes: Any) -> Tag:
    """Without a category a tag is a free one."""
    only_known("a tag", changes, ("name", "category", "position"))
    reread(tag)
    values = checked(Tag, {"position": changes["position"]}) if "position" in changes else {}
    if "name" in changes:
        values["name"] = needed_name(changes["name"])
    if "category" in changes:
        check_belongs(changes["category"], tag.account_id, field="category")
        values["category"] = changes["category"]
    return changed_tag(tag, values, by=by)


@transaction.atomic
def delete_tag(tag: Tag, *, by) -> None:
    """Whatever carried it, carries it no more."""
    record("tag.deleted", reread(tag), by=by)
    tag.delete()


def changed_tag(tag: Tag, values: dict[str, Any], *, by) -> Tag:
    changed = assign(tag, values)
    if changed:
        with tag_taken(tag.name):
            tag.save(update_fields=[*changed, "name_key"])
        record("tag.updated", tag, by=by, changes=changed)
    return tag


def needed_name(name: str) -> str:
    text = tag_name(name)
    if not text:
        raise Invalid("name: a tag needs a name", field="name")
    return text


def category_taken(name: str):
    return conflict_when_taken(
        f"A tag category named {name!r} exists already", lambda: TagCategory.objects.filter(name=name).first()
    )


def tag_taken(name: str):
    return conflict_when_taken(
        f"A tag named {name!r} exists already", lambda: Tag.objects.filter(name_key=name.casefold()).first()
    )
