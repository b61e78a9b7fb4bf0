"""Dialogues with a sink on this machine."""

from __future__ import annotations

import socket

from outreach.smtp import Dialogue

BO, ANA = "bo@acme.example", "ana@b.example"
LETTER = b"Subject: Hello\r\n\r\nHi Ana\r\n"
SHORT = 0.2


def dial(host, port, timeout):
    return socket.create_connection((host, port), timeout)


def open_dialogue(sink, security="none", *login, timeout=5.0, **options) -> Dialogue:
    return Dialogue.open("127.0.0.1", sink.port, security, *login, connect=dial, timeout=timeout, **options)


def send(dialogue, recipient=ANA, data=LETTER, before_dot=lambda: True):
    return dialogue.send(BO, recipient, data, before_dot=before_dot)
