"""Secrets at rest: AES-256-GCM, bound to the row they belong to, under keys that can be rotated."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django import forms
from django.conf import settings
from django.core import checks
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import models, transaction
from django.db.models.query_utils import DeferredAttribute

VERSION = "v1"
NONCE_BYTES = 12
TOKEN = re.compile(rf"{VERSION}\.([A-Za-z0-9_-]{{1,32}})\.([A-Za-z0-9_-]+)")
KEY_BYTES = 32
BATCH = 500


class DecryptionFailed(Exception):
    """The stored text was altered, belongs to another row, or its key is missing."""


def encrypt(plain: str, *, bound_to: str) -> str:
    """`v1.<key id>.<nonce and ciphertext>` under the first of PIPELIME_KEYS; blank stays blank.

    Only `decrypt` with the same `bound_to` reads it: by custom `account:model:uid:field`.
    """
    if not plain:
        return ""
    key_id = current_key_id()
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + _cipher(key_id).encrypt(nonce, plain.encode(), bound_to.encode())
    return f"{VERSION}.{key_id}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"


def decrypt(token: str, *, bound_to: str) -> str:
    if not token:
        return ""
    key_id, sealed = _parts(token, bound_to)
    if key_id not in settings.PIPELIME_KEYS:
        known = ", ".join(settings.PIPELIME_KEYS)
        raise DecryptionFailed(
            f"{bound_to} was encrypted under key {key_id!r}, not in PIPELIME_KEYS ({known}): add it back"
        )
    try:
        return _cipher(key_id).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode()).decode()
    except (InvalidTag, ValueError):
        raise DecryptionFailed(
            f"{bound_to} cannot be read under key {key_id!r}: "
            "it was altered, belongs to another row, or the key has other bytes than before"
        ) from None


def current_key_id() -> str:
    for key_id in settings.PIPELIME_KEYS:
        return str(key_id)
    raise ImproperlyConfigured("PIPELIME_KEYS is empty: give at least one id:base64url(32 bytes)")


class Sealed:
    """A token as the column holds it. It shows nothing, so it may stand in logs, pages and tracebacks."""

    __slots__ = ("token",)

    def __init__(self, token: str):
        self.token = token

    def __repr__(self) -> str:
        return "<encrypted>"

    def __bool__(self) -> bool:
        return bool(self.token)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and self.token == other.token

    def __hash__(self) -> int:
        return hash(self.token)


class EncryptedAttribute(DeferredAttribute):
    """Reading the attribute decrypts; the instance itself keeps the token until it is assigned to."""

    field: EncryptedTextField

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        value = super().__get__(instance, owner)
        return self.field.open(instance, value) if isinstance(value, Sealed) else value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.TextField):
    """Text that is plain on the instance and encrypted in the column, bound to account, model, uid and field.

    Its model needs `account_id` and `uid`. Assign and `save()`, or `bulk_create`: `update()` and
    `bulk_update()` do not say which row a value is for, so they are refused.
    """

    description = "Encrypted text"
    descriptor_class = EncryptedAttribute

    def bound_to(self, instance: Any) -> str:
        if not instance.uid:
            raise ValueError(f"{self.model._meta.label} has no uid yet, to which {self.name} could be bound")
        label = self.model._meta.label_lower
        return f"{instance.account_id or '-'}:{label}:{UUID(str(instance.uid))}:{self.name}"

    def open(self, instance: Any, sealed: Sealed) -> str:
        return decrypt(sealed.token, bound_to=self.bound_to(instance))

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        if isinstance(value, Sealed):
            if add:  # a copied instance: its token still belongs to the original and would be lost
                self.open(model_instance, value)
            return value
        if not value:
            return value
        sealed = Sealed(encrypt(str(value), bound_to=self.bound_to(model_instance)))
        setattr(model_instance, self.attname, sealed)
        return sealed

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed | str | None:
        return Sealed(value) if value else value

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, Sealed) else super().to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Sealed):
            return value.token
        if not value or hasattr(value, "resolve_expression"):
            return value
        raise TypeError(
            f"{self.model._meta.label}.{self.name} is encrypted for one row: assign it and save() that row. "
            "It cannot be filtered by, nor set by update() or bulk_update()"
        )

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name in ("exact", "in", "isnull") else None

    def value_from_object(self, obj: Any) -> str:
        """What forms show as the present value: nothing."""
        return ""

    def save_form_data(self, instance: Any, data: Any) -> None:
        """A form that was shown nothing and sends nothing keeps what there is."""
        if data:
            setattr(instance, self.attname, data)

    def value_to_string(self, obj: Any) -> str:
        raise TypeError(
            f"{self.model._meta.label}.{self.name} cannot be dumped, being encrypted; copy the database"
        )

    def formfield(self, **kwargs: Any) -> Any:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        return super().formfield(**{**kwargs, "widget": widget, "strip": False})

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *self._check_owner()]

    def _check_owner(self) -> list[checks.CheckMessage]:
        try:
            self.model._meta.get_field("account")
            self.model._meta.get_field("uid")
        except FieldDoesNotExist as error:
            return [checks.Error(f"Encryption binds to the row by account and uid: {error}", obj=self)]
        return []


class Rotated(NamedTuple):
    """One batch: how many rows were encrypted anew, and which could not be read."""

    rows: int
    failures: list[str]


def encrypted_fields(all_models: list[type[models.Model]]) -> list[EncryptedTextField]:
    return [
        field
        for model in all_models
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedTextField) and not model._meta.proxy
    ]


def rotate(field: EncryptedTextField, *, batch: int = BATCH) -> Iterator[Rotated]:
    """Encrypt every row under the current key. It may be stopped, run again, and run beside writers."""
    rows = field.model._base_manager.exclude(**{field.name: ""}).exclude(**{field.name: None}).order_by("pk")
    rows, last = rows.only("pk", "uid", "account", field.name), None
    while chunk := list((rows if last is None else rows.filter(pk__gt=last))[:batch]):
        last = chunk[-1].pk
        with transaction.atomic():
            results = [_rotate_row(field, row) for row in chunk]
        failures = [result for result in results if isinstance(result, str)]
        yield Rotated(sum(result is True for result in results), failures)


def _rotate_row(field: EncryptedTextField, row: Any) -> bool | str:
    """True when the row was encrypted anew, the reason when it cannot be read."""
    old: Sealed = row.__dict__[field.attname]
    if old.token.startswith(f"{VERSION}.{current_key_id()}."):
        return False
    try:
        plain = field.open(row, old)
    except DecryptionFailed as error:
        return str(error)
    new = Sealed(encrypt(plain, bound_to=field.bound_to(row)))
    # Only if nobody has written another secret since we read this one.
    unchanged = field.model._base_manager.filter(pk=row.pk, **{field.name: old})
    return bool(unchanged.update(**{field.name: new}))


def _parts(token: str, bound_to: str) -> tuple[str, bytes]:
    match = TOKEN.fullmatch(token)
    if not match:
        raise DecryptionFailed(
            f"{bound_to} holds no encrypted text of the form {VERSION}.<key id>.<base64url>"
        )
    encoded = match[2]
    try:
        return match[1], base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError:
        raise DecryptionFailed(f"{bound_to} holds damaged base64") from None


def _cipher(key_id: str) -> AESGCM:
    return _aesgcm(settings.PIPELIME_KEYS[key_id])


@lru_cache(maxsize=32)
def _aesgcm(key: bytes) -> AESGCM:
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"PIPELIME_KEYS: a key has {len(key)} bytes; AES-256 takes {KEY_BYTES}")
    return AESGCM(key)
