"""Cells that a spreadsheet would run as formulas: guarded in exports, restored by imports."""

from __future__ import annotations

import re

# What spreadsheets take for the beginning of a formula, blanks before it or not.
STARTS = r"\s*[=+\-@＝＋－＠]|[\t\r\n]"
DANGEROUS = re.compile(rf"'*(?:{STARTS})")
GUARDED = re.compile(rf"'+(?:{STARTS})")


def guard(text: str) -> str:
    """The text with an apostrophe in front if it could run. A guarded text is guarded again, so that
    `unguard` always gives back exactly what there was."""
    return f"'{text}" if DANGEROUS.match(text) else text


def unguard(text: str) -> str:
    return text[1:] if GUARDED.match(text) else text
