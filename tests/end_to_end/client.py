"""A client as somebody outside writes one: requests, answers, multipart bodies, and nothing of Django."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import uuid4

FORM = "application/x-www-form-urlencoded"


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content or b"null")


class Client:
    """Asks one API in one way of showing who it is. Every status is an answer."""

    def __init__(self, url: str, **headers: str):
        self.url = url
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def get(self, path: str, **query: Any) -> Answer:
        return self.ask("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: Any = None) -> Answer:
        return self.ask("POST", path, json.dumps(body or {}).encode())

    def put(self, path: str, body: Any) -> Answer:
        return self.ask("PUT", path, json.dumps(body).encode())

    def delete(self, path: str) -> Answer:
        return self.ask("DELETE", path)

    def upload(self, path: str, kind: str, name: str, file: str, content: bytes) -> Answer:
        """One file, in a body of the media type `kind`."""
        mark = uuid4().hex
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
        body = b"".join(
            [head.encode(), b"Content-Type: text/plain\r\n\r\n", content, f"\r\n--{mark}--\r\n".encode()]
        )
        return self.ask("POST", path, body, f"{kind}; boundary={mark}")

    def ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> Answer:
        headers = {**self.headers, **({"Content-Type": kind} if body is not None else {})}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refusal:
            return Answer(refusal.code, refusal.headers, refusal.read())
