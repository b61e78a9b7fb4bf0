"""Whose rows may be read and written. Unset means nobody's: a forgotten scope is an error, not a leak."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from django.db import models
from django.db.models import Q, sql

from pipelime.ids import uuid7

EVERY_ACCOUNT = object()
_scope: ContextVar[Any] = ContextVar("account_scope", default=None)


class ScopeMissing(RuntimeError):
    """Code touched an account's rows without saying whose."""


class ScopeViolation(RuntimeError):
    """Code tried to write a row of one account under the scope of another."""


@contextmanager
def account_scope(account: Any) -> Iterator[None]:
    """Everything inside reads and writes this account's rows only. Takes an Account or its id."""
    token = _scope.set(getattr(account, "pk", account))
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def every_account() -> Iterator[None]:
    """For workers that claim rows of all accounts. What follows one row must filter by its account."""
    token = _scope.set(EVERY_ACCOUNT)
    try:
        yield
    finally:
        _scope.reset(token)


def current_account_id(what: str = "This") -> int | None:
    """The account in scope, or None under every_account()."""
    scope = _scope.get()
    if scope is None:
        raise ScopeMissing(f"{what} was used outside account_scope()")
    return None if scope is EVERY_ACCOUNT else scope


class ScopedQuery(sql.Query):
    """A query that asks whose rows it may read when it is compiled, not when it is written.

    Forms, filters and serializers are built when a module is imported, often during somebody's
    request: a manager that filtered at once would keep that account's rows for everyone after.
    """

    def get_compiler(self, using=None, connection=None, elide_empty=True):
        return super(ScopedQuery, narrowed(self)).get_compiler(using, connection, elide_empty)


def narrowed(query: sql.Query) -> sql.Query:
    account_id = current_account_id(query.model.__name__)
    if account_id is None:
        return query
    query = query.clone()
    limits = query.low_mark, query.high_mark
    query.clear_limits()  # a sliced query refuses a filter, so its limits are put back afterwards
    query.add_q(Q(account_id=account_id))
    query.set_limits(*limits)
    return query


class AccountQuerySet(models.QuerySet):
    """The queryset of every model that belongs to an account."""

    def __init__(self, model=None, query=None, using=None, hints=None):
        super().__init__(model, query or ScopedQuery(model), using, hints)

    def in_scope(self):
        clone = self._chain()
        clone.query = narrowed(clone.query)
        return clone

    # Django turns an update or a delete into a query of another class, so these are narrowed first.
    def update(self, **values):
        return models.QuerySet.update(self.in_scope(), **values)

    def delete(self):
        return models.QuerySet.delete(self.in_scope())

    def _raw_delete(self, using):
        return models.QuerySet._raw_delete(self.in_scope(), using)  # noqa: SLF001  it is what delete() ends in

    def bulk_create(self, objs, *args, **kwargs):
        objs = list(objs)
        check_rows(objs)
        return super().bulk_create(objs, *args, **kwargs)

    update.alters_data = True
    delete.alters_data = True
    _raw_delete.alters_data = True
    bulk_create.alters_data = True


class AccountOwned(models.Model):
    """A row of one account, known outside by its `uid`."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, related_name="+", editable=False
    )

    objects = AccountQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        check_rows([self], kwargs.get("update_fields"))
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        check_rows([self], update_fields=())
        return super().delete(*args, **kwargs)


def check_rows(rows: Iterable[models.Model], update_fields: Iterable[str] | None = None) -> None:
    """Refuse rows whose account, or whose foreign keys' account, is not the scope's.

    A related object in memory is judged as it is; a bare id is looked up, once per model for the lot.
    """
    names = None if update_fields is None else set(update_fields)
    unknown: dict[tuple[type[models.Model], int], set[int]] = defaultdict(set)
    for row in rows:
        check_account(row)
        for field, related_id in references(row, names):
            related = row._state.fields_cache.get(field.name)
            if related is None:
                unknown[field.related_model, row.account_id].add(related_id)
            elif related.account_id != row.account_id:
                raise foreign(field.related_model, related_id, row.account_id)
    for (model, owner), ids in unknown.items():
        check_ids(model, ids, owner)


def check_account(row: models.Model) -> None:
    kind = type(row).__name__
    scope = current_account_id(kind)
    if scope is not None and row.account_id != scope:
        raise ScopeViolation(f"{kind} of account {row.account_id} under the scope of account {scope}")


def references(row: models.Model, names: set[str] | None) -> Iterator[tuple[models.ForeignKey, int]]:
    """The foreign keys that a save of `names` writes, with their ids."""
    for field in owned_foreign_keys(type(row)):
        if names is None or field.name in names or field.attname in names:
            related_id = getattr(row, field.attname)
            if related_id is not None:
                yield field, related_id


def check_ids(model: type[models.Model], ids: set[int], owner: int) -> None:
    """Refuse ids of `model` that are not rows of account `owner`; for bulk writes that hold bare ids."""
    found = set(model._base_manager.filter(pk__in=ids, account_id=owner).values_list("pk", flat=True))
    if missing := ids - found:
        raise foreign(model, min(missing), owner)


def foreign(model: type[models.Model], related_id: int, owner: int) -> ScopeViolation:
    return ScopeViolation(f"{model.__name__} {related_id} does not belong to account {owner}")


@cache
def owned_foreign_keys(model: type[models.Model]) -> list[models.ForeignKey]:
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and field.name != "account"
        and any(other.name == "account" for other in field.related_model._meta.concrete_fields)
    ]
