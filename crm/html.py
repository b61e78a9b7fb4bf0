"""Texts that people write as HTML or as plain lines: safe to show, and read as plain lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape
from typing import NamedTuple

import nh3

BLOCKS = {"p", "div", "ul", "ol", "li"}
TAGS = {"br", "span", "b", "i", "u", "strong", "em", "a", *BLOCKS}
UNSHOWN = {"script", "style", "head", "title"}
SEPARATOR_CLASS = "lead-desc-separator"
DEEPEST = 100  # tags inside one another; parsers of HTML take quadratic time of what is nested deeper

# Tags that programs of mail and of the web write: a text without any of them is plain, whatever its brackets.
_USUAL = re.compile(
    r"</?(?:br|p|div|span|b|i|u|strong|em|a|ul|ol|li|table|tbody|tr|td|th|h[1-6]|html|head|body|font|img|hr"
    r"|blockquote|pre|code|script|style)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
# "<john@acme.com>" is no tag. Every pattern here reads a character a few times at most: never slow.
_TAG = re.compile(r"<(?P<slash>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:-]*+|!)(?P<attributes>(?:[\s/-][^<>]*)?)>")
_HREF = re.compile(r"""\shref\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'>]++))""", re.IGNORECASE)
_BREAK = re.compile(r"<br>\n?")
_EDGES = re.compile(r"(?<!\n)\n*+(?:<p>\n*+)++")


class Piece(NamedTuple):
    """A text, and the tag behind it; the last piece has none."""

    text: str
    closes: bool = False
    tag: str = ""
    attributes: str = ""


def is_html(text: str) -> bool:
    return "<" in text and _USUAL.search(text) is not None


def html_of(text: str) -> str:
    """Safe to put into a page, whoever wrote it."""
    if not is_html(text):
        return html_of_lines(text)
    clean = nh3.clean(
        balanced(text),
        tags=TAGS,
        attributes={"a": {"href"}},
        allowed_classes={"p": {SEPARATOR_CLASS}},
        url_schemes={"http", "https", "mailto", "tel"},
    )
    return clean.replace("<br>", "<br />")


def html_of_lines(text: str) -> str:
    """The first separator becomes a paragraph of its own; what follows it is free text."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    shown = [escape(line, quote=False) for line in lines]  # as nh3 writes quotes
    at = next((at for at, line in enumerate(lines) if is_separator(line)), None)
    if at is None:
        return "<br />".join(shown)
    before, after = "".join(f"{line}<br />" for line in shown[:at]), "<br />".join(shown[at + 1 :])
    return f'{before}<p class="{SEPARATOR_CLASS}">{shown[at].strip()}</p>{after}'


def text_of(html: str) -> str:
    """Plain lines; a plain text comes back as it is."""
    if not is_html(html):
        return html
    edges = dict.fromkeys(BLOCKS, "<p>") | {"br": "<br>"}
    pieces = pieces_of(html.replace("\r\n", "\n"))
    lines = "".join(piece.text + edges.get(piece.tag, "") for piece in pieces)
    return unescape(_EDGES.sub("\n", _BREAK.sub("\n", lines))).strip("\n")


def is_separator(line: str) -> bool:
    """ "---", or "--- any words ---"."""
    line = line.strip()
    return line.startswith("---") and (line.endswith(" ---") or not line.strip("-"))


def pieces_of(html: str) -> Iterator[Piece]:
    """Texts and tags in their order, without what a browser does not show."""
    end, unshown = 0, ""
    for found in _TAG.finditer(html):
        tag, closes = found["name"].lower(), bool(found["slash"])
        if not unshown:
            yield Piece(html[end : found.start()], closes, tag, found["attributes"])
            unshown = tag if tag in UNSHOWN and not closes else ""
        elif closes and tag == unshown:
            unshown = ""
        end = found.end()
    if not unshown:
        yield Piece(html[end:])


def balanced(html: str) -> str:
    """The tags that may be shown, each closed where it must be and none nested too deeply."""
    written: list[str] = []
    stack: list[str] = []
    for piece in pieces_of(html):
        written.append(piece.text.replace("<", "&lt;"))
        if piece.tag == "br":
            written.append("<br>")
        elif piece.closes:
            written += close(piece.tag, stack)
        elif piece.tag in TAGS:
            written += close("p" if piece.tag in BLOCKS else "a" if piece.tag == "a" else "", stack)
            if len(stack) < DEEPEST:
                stack.append(piece.tag)
                written.append(opening(piece))
    written += [f"</{tag}>" for tag in reversed(stack)]
    return "".join(written)


def close(tag: str, stack: list[str]) -> list[str]:
    """What closes this tag, and those inside it; nothing when it is not open."""
    if tag not in stack:
        return []
    at = len(stack) - 1 - stack[::-1].index(tag)
    closed = [f"</{inner}>" for inner in reversed(stack[at:])]
    del stack[at:]
    return closed


def opening(piece: Piece) -> str:
    if piece.tag == "p" and SEPARATOR_CLASS in piece.attributes:
        return f'<p class="{SEPARATOR_CLASS}">'
    href = _HREF.search(piece.attributes) if piece.tag == "a" else None
    if href is None:
        return f"<{piece.tag}>"
    return f'<a href="{escape(unescape("".join(href.groups(""))))}">'
