"""What a file is, by its bytes and not by its name; and a name that is safe to show and to save under."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

import puremagic

HEAD = 16 * 1024  # bytes that tell what a file is
LONGEST_NAME = 250
UNKNOWN = "application/octet-stream"
HIDDEN = ("Cc", "Cf", "Cs", "Cn", "Co")  # control and format characters, halves and holes of Unicode
SURE = 0.4  # below this a match is two or three letters, with which a text may begin too


def type_of(head: bytes, name: str = "") -> str:
    """The media type of a file that begins with `head`.

    The name only chooses among the formats that share one beginning, as office files and archives do.
    """
    found = matches(head)
    if is_text(head) and (not found or found[0].confidence < SURE):
        return "text/plain"
    if not found:
        return UNKNOWN
    extension = PurePosixPath(name).suffix.lower()
    named = next((match for match in found if match.extension == extension), None)
    if named is None and head.startswith(b"PK\x03\x04"):
        return "application/zip"
    return (named or found[0]).mime_type[:127]


def matches(head: bytes) -> list[puremagic.PureMagicWithConfidence]:
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):  # nothing known, or nothing at all
        return []
    return [match for match in found if match.mime_type]


def is_text(head: bytes) -> bool:
    """Whether this is UTF-8 that people could read. The last character may be cut off."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if len(head) < HEAD or error.start < len(head) - 3:
            return False
        text = head[: error.start].decode()
    return not any(unicodedata.category(letter) == "Cc" and letter not in "\t\n\r\f" for letter in text)


def clean_name(name: str, default: str = "file") -> str:
    """The last part of a path, without what breaks lines or turns the reading direction round."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    words = "".join(" " if letter.isspace() else letter for letter in last if is_shown(letter)).split()
    shown = " ".join(words)
    return shortened(shown if shown.strip(". ") else default)


def is_shown(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) not in HIDDEN


def shortened(name: str) -> str:
    """At most 250 characters, with the end that says what kind of file it is."""
    if len(name) <= LONGEST_NAME:
        return name
    suffix = PurePosixPath(name).suffix[:20]
    return name[: LONGEST_NAME - len(suffix)] + suffix
