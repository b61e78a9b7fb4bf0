"""One row of every model that the workspace shows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.urls import reverse

from crm.models import ExportJob
from outreach.models import BlocklistEntry, Suppression
from pipelime.accounts.keys import create_key
from pipelime.accounts.models import Account, ApiKey, Notice
from pipelime.scope import account_scope, every_account
from tests import factories

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
PLAIN: dict[type[models.Model], dict[str, Any]] = {
    Notice: {"to": "zoe@example.com", "subject": "Welcome", "text": "Hello"},
    ExportJob: {"kind": "contacts", "format": "csv"},
    BlocklistEntry: {"value": "blocked.example", "kind": "domain"},
    Suppression: {"address_hash": "f" * 64, "cause": "bounced"},
}


def row_of(model: type[models.Model], account: Account) -> Any:
    if model is Account:
        return account
    if model is ApiKey:
        with account_scope(account):
            return create_key(account, name="Zapier", scopes=["*"], by=None)[0]
    if model in PLAIN:
        with every_account():
            return model._base_manager.create(account=account, **PLAIN[model])
    for maker in vars(factories).values():
        if isinstance(maker, type) and issubclass(maker, factories.Factory) and maker._meta.model is model:
            return maker(account=account)
    raise LookupError(
        f"tests/factories.py makes no {model.__name__}: add a factory, so that its pages are tested"
    )


def address(model: type[models.Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)
