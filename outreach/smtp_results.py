"""What a dialogue with a mail server ends in: an outcome for each message, or an error of the server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    reply: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Nothing was taken: it is safe to try again. Code 0 stands for trouble with the connection."""

    code: int
    text: str
    verb: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The verb tells whose fault it is: RCPT the recipient's, MAIL the sender's; "." ends the data."""

    code: int
    enhanced: str
    text: str
    verb: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The message was given over and no answer came: it may have been taken."""

    text: str


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The caller said no before the end of the data: nothing was given over."""


Outcome = Accepted | Deferred | Refused | Unknown | Abandoned


class DialogueError(Exception):
    """The server cannot be used; code and text are its own where it spoke."""

    def __init__(self, text: str, code: int = 0):
        super().__init__(f"{code} {text}" if code else text)
        self.text = text
        self.code = code


class ServerUnavailable(DialogueError):
    pass


class LoginRefused(DialogueError):
    """The server does not know this login, which will not pass by itself."""


class TlsRequired(DialogueError):
    """The connection cannot be encrypted as asked, and is never used unencrypted instead."""
