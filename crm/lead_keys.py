"""What finds a lead besides its title: the addresses in its texts, and what its key fields say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import F

from crm.descriptions import emails_in, facts_in, has_lines, lead_fields
from crm.importing.values import email_key
from crm.models import Comment, Field, Lead, LeadKey
from pipelime.bulk import in_chunks, insert_rows
from pipelime.changing import remember
from pipelime.search import documents

CHUNK = 100  # texts in memory at a time
LONGEST = 254
COLUMNS = ("account_id", "lead_id", "comment_id", "field_id", "value", "value_key")


def index_lead(lead: Lead, fields: Sequence[Field] | None = None, *, is_new: bool = False) -> None:
    """Make the rows of a lead's own texts what they shall be. `fields` spares reading the definitions."""
    stored = [] if is_new else in_order(lead.keys.all())
    own = [row for row in stored if row.comment_id is None]
    wanted = keys_in(lead, fields)
    if facts_of(own) != facts_of(wanted):
        replace(own, wanted)
        stored = wanted + [row for row in stored if row.comment_id is not None]
    remember(lead, keys=stored)


def index_comment(comment: Comment) -> None:
    """A comment's addresses find its lead."""
    if comment.lead_id is None or comment.lead is None:
        return
    stored = in_order(comment.keys.all())
    wanted = keys_in_comment(comment, comment.lead)
    if facts_of(stored) != facts_of(wanted):
        replace(stored, wanted)
        index_words(comment.lead)


def forget_comment(comment: Comment) -> None:
    """To be called before the comment goes."""
    if comment.lead is not None and comment.keys.all().delete()[0]:
        index_words(comment.lead)


def emails_of(leads: Sequence[Lead]) -> dict[int, list[str]]:
    """{id: addresses} of many leads: the description's first, then those of comments by age."""
    found: dict[int, dict[str, str]] = {lead.pk: {} for lead in leads}
    rows = LeadKey.objects.addresses().filter(lead__in=list(found))
    rows = rows.order_by("lead_id", F("comment_id").asc(nulls_first=True), "pk")
    for lead_id, value, key in rows.values_list("lead_id", "value", "value_key"):
        found[lead_id].setdefault(key, value)
    return {lead_id: list(addresses.values()) for lead_id, addresses in found.items()}


def keys_in(lead: Lead, fields: Sequence[Field] | None = None) -> list[LeadKey]:
    """What the description and the lead's own values say; only what can say something costs a query."""
    rows = [key_of(lead, address, email_key(address)) for address in emails_in(lead.description)]
    if has_lines(lead.description) or lead.custom_fields:
        rows += values_in(lead, lead_fields() if fields is None else fields)
    return rows


def values_in(lead: Lead, fields: Sequence[Field]) -> Iterable[LeadKey]:
    """One row a key field: what the description says goes before the value stored under the field's key."""
    key_fields = {field.pk: field for field in fields if field.is_key}
    if not key_fields:
        return
    said: dict[int, str] = {}
    for field, value in facts_in(lead.description, fields):
        said.setdefault(field.pk, value)
    for field in key_fields.values():
        value = str(said.get(field.pk) or lead.custom_fields.get(field.key, "")).strip()
        if value:
            yield key_of(lead, value, LeadKey.key_of(field, value), field=field)


def key_of(lead: Lead, value: str, key: str, **where) -> LeadKey:
    return LeadKey(account_id=lead.account_id, lead=lead, value=value[:LONGEST], value_key=key, **where)


def in_order(rows: Iterable[LeadKey]) -> list[LeadKey]:
    """The lead's own before those of its comments by age, each as written."""
    return sorted(rows, key=lambda row: (row.comment_id or 0, row.pk))


def facts_of(rows: Iterable[LeadKey]) -> list[tuple]:
    return [(row.comment_id, row.field_id, row.value, row.value_key) for row in rows]


def replace(stored: Sequence[LeadKey], wanted: Sequence[LeadKey]) -> None:
    if stored:
        LeadKey.objects.filter(pk__in=[row.pk for row in stored]).delete()
    insert_rows(LeadKey, COLUMNS, [[getattr(row, name) for name in COLUMNS] for row in wanted])


def index_words(lead: Lead) -> None:
    """Under the lock of the lead, so that two writers of its texts do not store each other's old words."""
    locked = Lead.objects.alive().select_for_update(no_key=True).filter(pk=lead.pk).first()
    if locked is not None:
        documents.index(locked)


@transaction.atomic
def fields_changed(account_id: int) -> None:
    """Another definition of a field may make other keys of every description: the indexer derives them."""
    ids = Lead.objects.filter(account=account_id).order_by("pk").values_list("pk", flat=True)
    documents.later("lead", account_id, ids.iterator(1000))


def derive(ids: Sequence[int]) -> None:
    """What the indexer calls before it reads the words of these leads, which it has locked."""
    fields = lead_fields()
    for chunk in in_chunks(ids, CHUNK):
        said = said_in_comments(chunk)
        leads = Lead.objects.filter(pk__in=chunk).only("account", "description", "custom_fields")
        gone, new = [], []
        for lead in leads.prefetch_related("keys"):
            stored, wanted = in_order(lead.keys.all()), keys_in(lead, fields) + said.get(lead.pk, [])
            if facts_of(stored) != facts_of(wanted):
                gone += stored
                new += wanted
        replace(gone, new)


def said_in_comments(lead_ids: Sequence[int]) -> dict[int, list[LeadKey]]:
    comments = Comment.objects.filter(lead__in=lead_ids, content__contains="@").order_by("pk")
    found: dict[int, list[LeadKey]] = {}
    for comment in comments.select_related("lead"):
        found.setdefault(comment.lead.pk, []).extend(keys_in_comment(comment, comment.lead))
    return found


def keys_in_comment(comment: Comment, lead: Lead) -> list[LeadKey]:
    return [
        key_of(lead, address, email_key(address), comment=comment) for address in emails_in(comment.content)
    ]
