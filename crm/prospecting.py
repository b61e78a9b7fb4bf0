"""Prospecting lists and their rows: made, filled, assigned, and turned into leads one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from crm.leads import create_lead
from crm.models import Lead, Prospect, ProspectingList
from crm.models.record import named
from crm.prospect_cells import check_columns, check_row, check_rows, is_blank
from crm.prospect_leads import description_of, refuse_converted, title_of
from crm.tags import set_tags, tags_named
from pipelime.accounts.models import Account, User
from pipelime.accounts.notices import tell_owner
from pipelime.bulk import in_chunks, insert_rows, take_ids
from pipelime.changing import assign, checked, only_known, owner_given, remember, reread
from pipelime.errors import Invalid
from pipelime.events.recording import record, record_all, record_changes
from pipelime.ids import uuid7s

MOST_AT_ONCE = 100  # what an API takes in one request
EVENTS_AT_ONCE = 1000
FACTS = ("title", "description", "privacy")
EVENTS = {"owner": "prospecting_list.assigned"}  # the other changes have one together
COLUMNS = [field.column for field in Prospect._meta.concrete_fields]
Rows = Iterable[Sequence[Any]]


@transaction.atomic
def create_list(
    account: Account, *, by, title: str, columns: Sequence[Any], rows: Rows = (), description: str = "",
    tags: Iterable[str] = (), owner: User | None = None, privacy: str = "default",
) -> ProspectingList:  # fmt: skip
    """Its rows are history of their own, one `prospect.created` each."""
    facts = {"title": title, "description": description, "privacy": privacy}
    values = list_values(account, {**facts, "owner": owner})
    names = check_columns(columns)
    cells = check_rows(rows, names)
    refuse_over(len(cells))
    prospecting_list = ProspectingList.objects.create(
        account=account, columns=names, row_count=len(cells), **values
    )
    words = tags_named(account, tags, by=by)
    prospecting_list.tags.set(words)
    remember(prospecting_list, tags=words)
    record("prospecting_list.created", prospecting_list, by=by)
    append(prospecting_list, cells, by=by)
    return prospecting_list


@transaction.atomic
def update_list(prospecting_list: ProspectingList, *, by, **changes: Any) -> ProspectingList:
    """title, description, privacy, owner, is_archived and tags. A new owner is mailed."""
    only_known("a prospecting list", changes, (*FACTS, "owner", "is_archived", "tags"))
    reread(prospecting_list)
    values = list_values(prospecting_list.account, changes)
    changed = assign(prospecting_list, values)
    columns = list(changed)
    if "is_archived" in changes and (archived := archive(prospecting_list, changes["is_archived"])):
        changed |= archived
        columns.append("archived_at")
    if "tags" in changes:
        changed |= set_tags(prospecting_list, changes["tags"], by=by)
    if changed:
        touch(prospecting_list, *columns)
        tell(prospecting_list, changed, by=by)
    return prospecting_list


def assign_list(prospecting_list: ProspectingList, user: User | None, *, by) -> ProspectingList:
    """Give the list to somebody, or to nobody."""
    return update_list(prospecting_list, by=by, owner=user)


@transaction.atomic
def delete_list(prospecting_list: ProspectingList, *, by) -> None:
    """Softly, with its rows. Leads made of them stay."""
    reread(prospecting_list)
    prospecting_list.deleted_at = timezone.now()
    touch(prospecting_list, "deleted_at")
    record("prospecting_list.deleted", prospecting_list, by=by)


@transaction.atomic
def add_prospects(
    prospecting_list: ProspectingList, rows: Rows, *, by, most: int | None = None
) -> list[Prospect]:
    """At the end of the list. `most` is how many the caller takes at once."""
    reread(prospecting_list)
    cells = check_rows(rows, prospecting_list.columns)
    if most is not None and len(cells) > most:
        raise Invalid(
            f"rows: {len(cells)} rows are too many at once; send at most {most}",
            field="rows",
            rule="too_many_rows",
        )
    refuse_over(prospecting_list.row_count + len(cells), already=prospecting_list.row_count)
    prospects = append(prospecting_list, cells, by=by)
    recount(prospecting_list)
    return prospects


@transaction.atomic
def update_prospect(
    prospect: Prospect, *, by, content: Sequence[Any] | None = None, is_active: bool | None = None
) -> Prospect:
    """`content` replaces the whole row."""
    lock(prospect)
    given = {"is_active": is_active} if is_active is not None else {}
    values = checked(Prospect, given)
    if content is not None:
        values["content"] = check_row(content, prospect.prospecting_list.columns)
        if is_blank(values["content"]):
            raise Invalid("The row is blank; delete the prospect instead", field="rows")
    changed = assign(prospect, values)
    if changed:
        prospect.save(update_fields=[*changed, "updated_at"])
        touch(prospect.prospecting_list)
        record("prospect.updated", prospect, by=by, changes=changed)
    return prospect


@transaction.atomic
def delete_prospect(prospect: Prospect, *, by) -> None:
    """For good, with its comments and calls. A lead made of it stays."""
    lock(prospect)
    record("prospect.deleted", prospect, by=by)
    prospect.delete()
    recount(prospect.prospecting_list)


@transaction.atomic
def lead_from_prospect(
    prospect: Prospect, *, by, owner: User | None = None, created_from: str = "api"
) -> Lead:
    """The first cell is the lead's title, the others are lines of its description.

    Without `owner` it belongs to whose list it is, if that person still works here.
    """
    lock(prospect)
    refuse_converted(prospect)
    if owner is None and (holder := prospect.prospecting_list.owner) and holder.is_active:
        owner = holder
    lead = create_lead(
        prospect.account, by=by, created_from=created_from, title=title_of(prospect),
        description=description_of(prospect), owner=owner,
    )  # fmt: skip
    prospect.lead = lead
    prospect.save(update_fields=["lead", "updated_at"])
    touch(prospect.prospecting_list)
    record("prospect.converted", prospect, by=by, lead=named(lead))
    return lead


def list_values(account: Account, given: dict[str, Any]) -> dict[str, Any]:
    values = checked(ProspectingList, {name: given[name] for name in FACTS if name in given})
    values |= owner_given(given, account.pk)
    return values


def refuse_over(count: int, *, already: int = 0) -> None:
    if count > ProspectingList.MOST_ROWS:
        having = f"; this one has {already} already" if already else ""
        raise Invalid(
            f"rows: {count} rows are too many; a list has at most {ProspectingList.MOST_ROWS}{having}",
            field="rows",
            rule="too_many_rows",
        )


def archive(prospecting_list: ProspectingList, wanted: bool) -> dict[str, list]:
    was = prospecting_list.is_archived
    if bool(wanted) == was:
        return {}
    prospecting_list.archived_at = None if was else timezone.now()
    return {"is_archived": [was, not was]}


def append(prospecting_list: ProspectingList, cells: list[list[str]], *, by) -> list[Prospect]:
    """Whoever calls holds the list, so that no two rows take one position."""
    if not cells:
        return []
    last = prospecting_list.prospects.aggregate(last=Max("position"))["last"] or 0
    now = timezone.now()
    prospects = [
        Prospect(
            id=pk, uid=uid, account_id=prospecting_list.account_id, prospecting_list=prospecting_list,
            position=position, content=row, created_at=now, updated_at=now,
        )
        for position, (row, pk, uid) in enumerate(
            zip(cells, take_ids(Prospect, len(cells)), uuid7s(len(cells)), strict=True), start=last + 1
        )
    ]  # fmt: skip
    insert_rows(Prospect, COLUMNS, [[getattr(row, name) for name in COLUMNS] for row in prospects])
    for prospect in prospects:
        prospect._state.adding = False
    for part in in_chunks(prospects, EVENTS_AT_ONCE):
        record_all("prospect.created", [(prospect, {}) for prospect in part], by=by)
    return prospects


def recount(prospecting_list: ProspectingList) -> None:
    prospecting_list.row_count = prospecting_list.prospects.count()
    touch(prospecting_list, "row_count")


def touch(prospecting_list: ProspectingList, *columns: str) -> None:
    """A list is as new as its rows."""
    prospecting_list.save(update_fields=[*columns, "updated_at"])


def lock(prospect: Prospect) -> None:
    """The list before its row, as those do who append: nobody waits for somebody who waits for them."""
    reread(prospect.prospecting_list)
    held = prospect.prospecting_list
    reread(prospect)
    prospect.prospecting_list = held


def tell(prospecting_list: ProspectingList, changed: dict[str, list], *, by) -> None:
    record_changes(prospecting_list, changed, by=by, events=EVENTS, other="prospecting_list.updated")
    if "owner" in changed:
        tell_owner(prospecting_list, prospecting_list.owner, by=by, path="spreadsheets")
