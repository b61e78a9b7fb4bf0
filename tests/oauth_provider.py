"""A stand-in for the authorization and token endpoints of a mail provider, on loopback."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

CLIENT = "pipelime-client"


class OAuthProvider(ThreadingHTTPServer):
    """Knows the grants that it gave; `refusal` is what its token endpoint answers instead, if set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh_tokens: dict[str, str] = {}  # token -> whose
        self.access_tokens: list[str] = []
        self.asked: list[dict[str, str]] = []
        self.refusal: tuple[int, dict[str, str]] | None = None
        self.rotates = False
        self.lock = threading.Lock()

    def settings(self) -> dict[str, str]:
        return {
            "client_id": CLIENT,
            "client_secret": "client-secret",
            "auth_url": f"{self.address}/auth",
            "token_url": f"{self.address}/token",
        }

    def say_yes(self, url: str, email: str) -> str:
        """What a person does on the provider's page: the address that the browser is sent to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["client_id"] == CLIENT
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked | {"email": email}
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def grant_to(self, email: str) -> str:
        token = f"refresh-{len(self.refresh_tokens)}"
        self.refresh_tokens[token] = email
        return token

    def answer(self, grant: dict[str, str]) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.asked.append(grant)
            if self.refusal:
                return self.refusal
            if grant.get("client_secret") != "client-secret" or grant.get("client_id") != CLIENT:
                return 401, {"error": "invalid_client"}
            if grant["grant_type"] == "authorization_code":
                return self.redeem(grant)
            email = self.refresh_tokens.get(grant["refresh_token"])
            return (200, self.tokens(email)) if email else (400, GONE)

    def redeem(self, grant: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(grant["code"], {})
        digest = hashlib.sha256(grant["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked.get("code_challenge") != challenge or asked["redirect_uri"] != grant["redirect_uri"]:
            return 400, {"error": "invalid_grant", "error_description": "Bad code"}
        email = asked["email"]
        return 200, self.tokens(email) | {"refresh_token": self.grant_to(email), "id_token": id_token(email)}

    def tokens(self, email: str) -> dict[str, Any]:
        self.access_tokens.append(f"access-{len(self.access_tokens)}")
        fresh = {"access_token": self.access_tokens[-1], "expires_in": 3599, "token_type": "Bearer"}
        return fresh | {"refresh_token": self.grant_to(email)} if self.rotates else fresh


GONE = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}


def id_token(email: str) -> str:
    claims = {"aud": CLIENT, "email": email, "email_verified": True}
    return f"head.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.signature"


class Handler(BaseHTTPRequestHandler):
    server: OAuthProvider

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status, said = self.server.answer(dict(parse_qsl(body)))
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[OAuthProvider]:
    with OAuthProvider() as provider:
        thread = threading.Thread(target=provider.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            provider.shutdown()
            thread.join()
