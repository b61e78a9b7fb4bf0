"""Tags by name: found whatever their case, made when they are new."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError

from crm.models import Tag
from pipelime.accounts.models import Account
from pipelime.changing import check_text
from pipelime.errors import Invalid
from pipelime.events.recording import record_all

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
