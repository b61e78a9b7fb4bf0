"""Logging in to an SMTP server: by password, or by an access token of OAuth 2 (XOAUTH2)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from outreach.smtp_results import LoginRefused, ServerUnavailable
from outreach.smtp_wire import Reply

Command = Callable[[str], Reply]


@dataclass(frozen=True, slots=True)
class Login:
    """With a token the password is not used."""

    username: str
    password: str = ""
    token: str = ""

    def make(self, host: str, offered: str, command: Command) -> Reply:
        """The reply that let it in; raises LoginRefused, or ServerUnavailable where it was only put off."""
        mechanisms = offered.upper().split()
        if self.token:
            reply = self.by_token(host, mechanisms, command)
        elif "PLAIN" in mechanisms:
            reply = command("AUTH PLAIN " + in_base64(f"\0{self.username}\0{self.password}"))
        elif "LOGIN" in mechanisms:
            reply = self.by_steps(command)
        else:
            raise LoginRefused(
                f"{host} offers no login by password (AUTH PLAIN or LOGIN); it offers "
                f"{', '.join(mechanisms) or 'none'}"
            )
        if reply.code != 235:
            raise (LoginRefused if reply.code >= 500 else ServerUnavailable)(reply.text, reply.code)
        return reply

    def by_steps(self, command: Command) -> Reply:
        reply = command("AUTH LOGIN")
        for secret in (self.username, self.password):
            if reply.code != 334:
                return reply
            reply = command(in_base64(secret))
        return reply

    def by_token(self, host: str, mechanisms: list[str], command: Command) -> Reply:
        """A refusal comes as a challenge with the error in it; the empty answer brings its code."""
        if "XOAUTH2" not in mechanisms:
            raise LoginRefused(f"{host} offers no login by OAuth 2 (AUTH XOAUTH2)")
        reply = command("AUTH XOAUTH2 " + in_base64(xoauth2(self.username, self.token)))
        return command("") if reply.code == 334 else reply


def xoauth2(username: str, token: str) -> str:
    """The one form that Google and Microsoft both take, for SMTP and IMAP alike."""
    return f"user={username}\x01auth=Bearer {token}\x01\x01"


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
