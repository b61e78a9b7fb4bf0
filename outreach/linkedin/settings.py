"""How a LinkedIn account reaches its provider: an address, an account there and a key that is never shown."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from outreach.models import LinkedInAccount
from pipelime import outbound
from pipelime.changing import checked
from pipelime.errors import Invalid

KEYS = ("kind", "url", "account", "key")
COLUMNS = {
    "kind": "provider", "url": "provider_url", "account": "provider_account", "key": "provider_key",
}  # fmt: skip
NOBODY = dict.fromkeys(KEYS, "")


def set_provider(row: LinkedInAccount, given: dict[str, Any] | None) -> bool:
    """Copy {kind, url, account, key} into the account; None means that people do its steps.

    Says whether anything differs from before.
    """
    given = NOBODY if given is None or given.get("kind") == "" else given
    if unknown := set(given) - set(KEYS):
        raise Invalid(f"A provider has {', '.join(KEYS)}, not {sorted(unknown)[0]!r}", field="provider")
    before = [getattr(row, column) for column in COLUMNS.values()]
    refuse_known_key_elsewhere(row, given)
    values = {COLUMNS[key]: value for key, value in given.items()}
    for column, value in cleaned(values).items():
        setattr(row, column, value)
    check_provider(row)
    return before != [getattr(row, column) for column in COLUMNS.values()]


def cleaned(values: dict[str, Any]) -> dict[str, Any]:
    try:
        clean = checked(LinkedInAccount, values)
    except Invalid as error:
        named = {column: f"provider.{key}" for key, column in COLUMNS.items()}
        fields = {named[column]: texts for column, texts in error.fields.items()}
        raise Invalid(str(error), fields=fields) from None
    if "provider_url" in clean:
        clean["provider_url"] = clean["provider_url"].rstrip("/").removesuffix("/api/v1").rstrip("/")
    return clean


def refuse_known_key_elsewhere(row: LinkedInAccount, given: dict[str, Any]) -> None:
    """Whoever may change the address must not learn the key by having it sent to a host of theirs."""
    moves = "url" in given and origin(given["url"]) != origin(row.provider_url)
    if moves and row.provider_key and "key" not in given:
        raise Invalid("provider.key: a new address needs the key again", field="provider.key")


def origin(url: Any) -> tuple[str, str]:
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc


def refuse_nameless(row: LinkedInAccount) -> None:
    if any(getattr(row, column) for column in COLUMNS.values()):
        known = ", ".join(value for value in LinkedInAccount.Provider.values if value)
        raise Invalid(f"provider.kind: say which provider it is; known: {known}", field="provider.kind")


def check_provider(row: LinkedInAccount) -> None:
    if not row.provider:
        refuse_nameless(row)
        return
    for key in ("url", "account", "key"):
        if not getattr(row, COLUMNS[key]):
            name = LinkedInAccount.Provider(row.provider).label
            raise Invalid(f"provider.{key}: {name} needs it", field=f"provider.{key}")
    if not (row.provider_key.isascii() and row.provider_key.isprintable()):
        raise Invalid("provider.key: one line of plain characters", field="provider.key")
    try:
        target = outbound.parse_url(row.provider_url)
    except outbound.Malformed as error:
        raise Invalid(f"provider.{error}", field="provider.url") from None
    if target.scheme != "https" and not outbound.allowed_in_clear(target.host, target.port):
        raise Invalid(
            f"provider.url: {row.provider_url!r} must begin with https://, since the key travels with it",
            field="provider.url",
        )
