"""Unipile, a service that works LinkedIn over HTTP, as its documentation of version 1 describes it.

From developer.unipile.com: the header X-API-KEY, GET /users/{identifier}, POST /users/invite, POST /chats and
POST /chats/{id}/messages as forms, the types of errors, and the calls to hooks (new messages, new relations).
Not verified against the service itself, and so read with care: which answers above 499 mean that LinkedIn was
asked nevertheless (all but 501 and 503 count as doubt), and whether a hook names a person by the public
address of their profile (where it does not, the chat or the id that an invitation went to tells who it is).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import orjson
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from crm.receiving.texts import readable
from outreach.linkedin.port import (
    Connected,
    Declined,
    Done,
    Failure,
    Found,
    Later,
    Locked,
    News,
    Outcome,
    Person,
    Related,
    Said,
    Unknown,
)
from outreach.linkedin.profiles import normal_or_nothing, slug
from outreach.models import LinkedInAccount
from pipelime import outbound
from pipelime.outbound import Answer

LOOK_SECONDS = 15.0
ACT_SECONDS = 40.0  # LinkedIn is slow behind it; well within the lease that marking as sending begins
LONGEST_WORDS = 300
LINKEDIN_BEGAN = datetime(2003, 5, 5, tzinfo=UTC)

ABOUT_THE_PERSON = ("errors/resource_access_restricted",)  # though it comes as 403
LIMITS = ("errors/cannot_resend_yet", "errors/limit_exceeded")  # LinkedIn's own, which pass; they come as 422


class Unipile:
    """The `Provider` of accounts that Unipile works for."""

    def find(self, account: LinkedInAccount, profile: str, chat_id: str = "") -> Found | Failure:
        path = f"chats/{quoted(chat_id)}" if chat_id else f"users/{quoted(slug(profile))}"
        try:
            answer = ask(account, "GET", path, seconds=LOOK_SECONDS, account_id=account.provider_account)
        except outbound.OutboundError as error:
            forbidden = isinstance(error, outbound.Refused) and not isinstance(error, outbound.Unresolved)
            return Locked(str(error)) if forbidden else Later(str(error))
        if not 200 <= answer.status < 300:
            return failure(answer) or Later(words(answer))
        if chat_id:
            return Found(chat_id=chat_id)
        person_id = str(said(answer).get("provider_id") or "")
        return Found(person_id=person_id) if person_id else Declined("Unipile does not know this profile")

    def invite(self, account: LinkedInAccount, found: Found, text: str) -> Outcome:
        facts = {"account_id": account.provider_account, "provider_id": found.person_id}
        if text:
            facts["message"] = text
        body = orjson.dumps(facts)
        answer = act(account, "users/invite", body, "application/json")
        return Done(provider_id=found.person_id) if isinstance(answer, Answer) else answer

    def write(self, account: LinkedInAccount, found: Found, text: str) -> Outcome:
        if found.chat_id:
            path, facts = f"chats/{quoted(found.chat_id)}/messages", {"text": text}
        else:
            path = "chats"
            facts = {
                "account_id": account.provider_account,
                "attendees_ids": found.person_id,
                "text": text,
            }
        answer = act(account, path, *form(facts))
        if not isinstance(answer, Answer):
            return answer
        known = said(answer)
        return Done(str(known.get("message_id") or ""), str(known.get("chat_id") or found.chat_id))

    def status(self, account: LinkedInAccount) -> tuple[bool, str]:
        try:
            answer = ask(account, "GET", f"accounts/{quoted(account.provider_account)}", seconds=LOOK_SECONDS)
        except outbound.OutboundError as error:
            return False, str(error)
        if answer.status != 200:
            return False, words(answer)
        states = {str(source.get("status")) for source in said(answer).get("sources") or []}
        return states <= {"OK"}, ", ".join(sorted(states)) or "OK"

    def news(self, account: LinkedInAccount, payload: Mapping[str, Any]) -> News | None:
        if payload.get("account_id") != account.provider_account:
            return None
        match payload.get("event"):
            case "message_received":
                return message_in(payload)
            case "new_relation":
                return Related(relation_in(payload), moment(payload.get("timestamp")))
            case _:
                return None


def act(account: LinkedInAccount, path: str, body: bytes, kind: str) -> Answer | Outcome:
    """Ask once for something that must not happen twice. The answer itself where it says yes.

    Always over a connection of its own: a kept one may be replaced, and the request repeated, unseen.
    """
    try:
        answer = ask(account, "POST", path, body, kind, seconds=ACT_SECONDS)
    except (outbound.Refused, outbound.Unreachable, outbound.TlsFailed) as error:
        return Later(str(error))
    except outbound.OutboundError as error:
        return Unknown(str(error))
    if 200 <= answer.status < 300:
        return answer
    if said(answer).get("type") == "errors/already_connected":
        return Connected()
    return failure(answer) or Unknown(words(answer))


def failure(answer: Answer) -> Failure | None:
    """What a refusal means; None for an answer after which nobody knows what has happened."""
    kind, told = said(answer).get("type"), words(answer)
    if answer.status in (429, 503) or kind in LIMITS:
        return Later(told)
    if kind in ABOUT_THE_PERSON:
        return Declined(told)
    if answer.status in (401, 403) or 300 <= answer.status < 400:
        return Locked(told)
    if answer.status == 501 or (400 <= answer.status < 500 and answer.status != 408):
        return Declined(told)
    return None


def ask(
    account: LinkedInAccount,
    method: str,
    path: str,
    body: bytes | None = None,
    kind: str = "",
    *,
    seconds: float,
    **query: str,
) -> Answer:
    url = f"{account.provider_url.rstrip('/')}/api/v1/{path}" + (f"?{urlencode(query)}" if query else "")
    headers = {"X-API-KEY": account.provider_key, "Accept": "application/json"}
    if kind:
        headers["Content-Type"] = kind
    return outbound.request(method, url, body, headers, deadline=seconds, ports=ports_of(url))


def ports_of(url: str) -> frozenset[int] | None:
    """Unipile gives every customer a port of its own; elsewhere the usual ones will do."""
    host = urlsplit(url).hostname or ""
    return None if host.endswith(".unipile.com") else outbound.HTTP_PORTS


def quoted(text: str) -> str:
    """A part of a path; what is percent-encoded already stays as it is."""
    return quote(text, safe="%")


def form(facts: Mapping[str, str]) -> tuple[bytes, str]:
    """multipart/form-data, and its content type."""
    boundary = uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in facts.items()
    ]
    return "".join([*parts, f"--{boundary}--\r\n"]).encode(), f"multipart/form-data; boundary={boundary}"


def said(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer; nothing where it is none."""
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def words(answer: Answer) -> str:
    told = said(answer)
    own = ": ".join(str(told[name]) for name in ("title", "detail") if told.get(name))
    return f"Unipile said {answer.status} {own}".strip()[:LONGEST_WORDS]


def message_in(payload: Mapping[str, Any]) -> Said | None:
    """The call for a new message, of either side. Those of groups name nobody in particular."""
    own_id = objects(payload.get("account_info")).get("user_id")
    sender = objects(payload.get("sender"))
    known = payload.get("attendees")
    others = [one for one in known if isinstance(one, dict)] if isinstance(known, list) else []
    is_ours = bool(own_id) and sender.get("attendee_provider_id") == own_id
    if is_ours:
        others = [one for one in others if one.get("attendee_provider_id") != own_id]
        sender = others[0] if len(others) == 1 else {}
    if not (text_of(payload, "message_id") and text_of(payload, "chat_id")):
        return None
    return Said(
        id=text_of(payload, "message_id"),
        chat_id=text_of(payload, "chat_id"),
        text=text_of(payload, "message"),
        person=attendee(sender),
        is_ours=is_ours,
        at=moment(payload.get("timestamp")),
    )


def attendee(facts: Mapping[str, Any]) -> Person:
    public = text_of(facts, "attendee_public_identifier")
    return Person(
        name=text_of(facts, "attendee_name")[:510],
        person_id=text_of(facts, "attendee_provider_id")[:250],
        profile_url=profile(public, text_of(facts, "attendee_profile_url")),
    )


def relation_in(payload: Mapping[str, Any]) -> Person:
    public = text_of(payload, "user_public_identifier")
    return Person(
        name=text_of(payload, "user_full_name")[:510],
        person_id=text_of(payload, "user_provider_id")[:250],
        profile_url=profile(public, text_of(payload, "user_profile_url")),
    )


def profile(public: str, url: str) -> str:
    return normal_or_nothing(f"https://www.linkedin.com/in/{public}" if public else url)


def text_of(facts: Mapping[str, Any], name: str) -> str:
    """Without what no database keeps; blank where it is missing or no plain value."""
    value = facts.get(name)
    return readable(str(value)) if isinstance(value, str | int) else ""


def objects(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def moment(text: Any) -> datetime:
    """When it happened, if that is said and can be."""
    now = timezone.now()
    try:
        at = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        at = None
    at = at.replace(tzinfo=at.tzinfo or UTC) if at else now
    return at if LINKEDIN_BEGAN <= at <= now else now
