"""Notifications: a webhook event as a mail, with all that somebody needs to work on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from webhooks.dialects import Letter

Data = Mapping[str, Any]


def letter(event: str, data: Data) -> Letter:
    title = data.get("title") or data.get("name") or f"no. {data.get('id')}"
    parts = [f"{event}: {title}", "\n".join(facts(data))]
    parts += [data.get("text_description") or "", "\n\n".join(comments(data)), data.get("permalink") or ""]
    return Letter(f"{event}: {title}", "\n\n".join(part for part in parts if part) + "\n")


def facts(data: Data) -> Iterator[str]:
    """`Name: value` lines of what there is."""
    for name, value in named_facts(data):
        if value not in (None, "", []):
            yield f"{name}: {value}"


def named_facts(data: Data) -> Iterator[tuple[str, Any]]:
    if "permalink" not in data:  # no lead: every plain value
        yield from ((name, value) for name, value in data.items() if not isinstance(value, dict))
        return
    yield "Status", data["status"]
    yield "Step", data["step"]
    yield "Pipeline", data["pipeline"]
    if data["amount"] is not None:
        yield "Amount", f"{data['amount']:.2f} {data['currency']}"
    yield "Probability", data["probability"]
    yield "Assigned to", person(data["user"])
    yield "Client", (data["client_folder"] or {}).get("name")
    yield "Reminder", data["reminder_at"]
    yield "Tags", ", ".join(data["tags"])
    yield "E-mail", ", ".join(data["all_contact_emails"])


def comments(data: Data) -> Iterator[str]:
    for comment in data.get("comments", ()):
        yield f"{comment['created_at']} {person(comment['user']) or 'Somebody'}:\n{comment['content']}"


def person(user: Data | None) -> str:
    if user is None:
        return ""
    return f"{user['firstname']} {user['lastname']}".strip() or str(user["email"])
