"""A stand-in of Unipile, after its documentation: it answers by path and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from tests.receivers import HttpReceiver, Request

PERSON = "ACoAAAGrace"
FINE: dict[str, tuple[int, dict[str, Any]]] = {
    "GET /api/v1/users/": (200, {"object": "UserProfile", "provider_id": PERSON}),
    "GET /api/v1/chats/": (200, {"object": "Chat", "id": "chat-1"}),
    "GET /api/v1/accounts/": (200, {"object": "Account", "sources": [{"id": "a", "status": "OK"}]}),
    "POST /api/v1/users/invite": (201, {"object": "UserInvitationSent", "invitation_id": "inv-1"}),
    "POST /api/v1/chats": (201, {"object": "ChatStarted", "chat_id": "chat-1", "message_id": "msg-1"}),
    "POST /api/v1/chats/": (201, {"object": "MessageSent", "message_id": "msg-2"}),
}


class UnipileStandIn(HttpReceiver):
    """`answers["POST /api/v1/chats"] = (422, {…})` changes what is said; a function is called, and may raise.

    Raising drops the connection without an answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, tuple[int, dict[str, Any]] | Callable[[], Any]] = dict(FINE)
        self._server.handle_error = lambda *_: None  # a dropped connection is what was asked for

    def take(self, request: Request) -> int:
        self.requests.append(request)
        asked = f"{request.method} {request.path}"
        best = max((known for known in self.answers if asked.startswith(known)), key=len)
        answer = self.answers[best]
        status, body = answer() if callable(answer) else answer
        self.body = orjson.dumps(body)
        return status

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.requests]


def problem(status: int, kind: str, title: str = "", detail: str = "") -> tuple[int, dict[str, Any]]:
    return status, {"status": status, "type": f"errors/{kind}", "title": title, "detail": detail}


def hangs_up() -> None:
    raise ConnectionAbortedError("without an answer")
