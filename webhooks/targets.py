"""What may be set of an endpoint: where it is, what it hears, whether people may set it off."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from pipelime.changing import checked as checked_columns
from pipelime.errors import Invalid
from pipelime.outbound import OutboundError, Target, allowed_in_clear, parse_url, resolve
from webhooks.dialects import Dialect, dialect_named
from webhooks.models import Endpoint

LONGEST_URL = 2000
SETTABLE = ("url", "events", "description", "name", "email", "on_menu")
URL, EMAIL = Endpoint.TargetType.URL, Endpoint.TargetType.EMAIL


def checked(endpoint: Endpoint, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What callers gave for this endpoint, cleaned; Invalid names the first field that will not do."""
    for name in facts:
        if name not in SETTABLE:
            raise Invalid(f"A webhook has no {name} that can be set; {', '.join(SETTABLE)} can", field=name)
    dialect = dialect_named(endpoint.dialect)
    check_target_type(endpoint, dialect)
    values = checked_texts(facts)
    for name in (URL, EMAIL):
        if name in facts:
            values[name] = check_target(endpoint, name, facts[name])
    if "events" in facts:
        values["events"] = dialect.check_events(endpoint.account, facts["events"])
    check_menu(endpoint, dialect, values)
    return values


def checked_texts(facts: Mapping[str, Any]) -> dict[str, Any]:
    description = facts.get("description", "")
    if not isinstance(description, str) or len(description) > 250:
        raise Invalid("A description is text of at most 250 characters", field="description")
    plain = ("description", "name", "on_menu")
    return checked_columns(Endpoint, {name: facts[name] for name in plain if name in facts})


def check_target_type(endpoint: Endpoint, dialect: Dialect) -> None:
    if endpoint.target_type not in dialect.targets:
        known = ", ".join(dialect.targets)
        raise Invalid(
            f"target_type: {endpoint.target_type!r} is no target of {dialect.label}; use {known}",
            field="target_type",
        )


def check_target(endpoint: Endpoint, name: str, value: Any) -> str:
    """One of url and email says where; the other one stays blank."""
    if name == endpoint.target_type:
        return check_url(value) if name == URL else check_email(value)
    if value:
        raise Invalid(
            f"This webhook goes to {endpoint.get_target_type_display()}; leave {name} out", field=name
        )
    return ""


def check_email(address: Any) -> str:
    if not address:
        raise Invalid("A notification needs an address such as ada@example.com", field="email")
    found: str = checked_columns(Endpoint, {"email": address})["email"]
    return found


def check_menu(endpoint: Endpoint, dialect: Dialect, values: Mapping[str, Any]) -> None:
    events = values.get("events", endpoint.events)
    if values.get("on_menu", endpoint.on_menu) and dialect.triggered not in events:
        raise Invalid(
            f"Only a webhook for {dialect.triggered} can be in the menu of leads: people set that off there",
            field="on_menu",
        )


def check_url(url: Any) -> str:
    """https anywhere public, http where the operator allows it. Names are looked up only if that decides."""
    if not isinstance(url, str) or not url.strip():
        raise Invalid("A webhook needs a URL such as https://hooks.example.com/pipelime", field="url")
    url = url.strip()
    if len(url) > LONGEST_URL:
        raise Invalid(f"The URL has {len(url)} characters; at most {LONGEST_URL} are kept", field="url")
    try:
        target = parse_url(url)
        if target.scheme == "https" and is_literal(target):
            resolve(target.host, target.port)
    except OutboundError as error:
        raise Invalid(str(error).removeprefix("url: "), field="url") from None
    if target.scheme == "http" and not allowed_in_clear(target.host, target.port):
        raise Invalid(
            "Use https; plain http is for hosts in the operator's PIPELIME_OUTBOUND_ALLOW only", field="url"
        )
    return url


def is_literal(target: Target) -> bool:
    try:
        ip_address(target.name)
    except ValueError:
        return False
    return True
