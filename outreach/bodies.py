"""The two faces of a mail's body: HTML made from plain text, and plain text made from HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import inscriptis
from inscriptis.model.config import ParserConfig

from outreach.templating import Template, compile_template, render, render_line

LINE_END = re.compile(r"\r\n|\r|\n")
COMPILED_DRAFTS = 512

_PARAGRAPH_GAP = re.compile(r"\n[ \t]*\n\s*")
_LINK = re.compile(r"\bhttps?://[^\s<>\"]*[^\s<>\".,;:!?')\]]")
_OUTPUT = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_MASK = re.compile("\ue000([0-9]+)\ue001")
_TEXT_LAYOUT = ParserConfig(display_links=True)


@dataclass(frozen=True, slots=True)
class Body:
    """What one contact gets. Text is None only where it must be made from this very HTML."""

    subject: str
    text: str | None
    html: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """The subject and body of a step, compiled once and filled for each contact."""

    subject: Template
    text: Template | None
    html: Template | None

    def fill(self, data: Mapping[str, Any]) -> Body:
        return Body(
            subject=render_line(self.subject, data),
            text=render(self.text, data) if self.text else None,
            html=render(self.html, data) if self.html else None,
        )


@lru_cache(maxsize=COMPILED_DRAFTS)
def compile_draft(subject: str, body: str, *, is_html: bool = False) -> Draft:
    title = compile_template(subject)
    if not is_html:
        return Draft(title, text=compile_template(body), html=None)
    text = None if "{%" in body else compile_template(text_template_from_html(body))
    return Draft(title, text=text, html=compile_template(body, html=True))


def html_from_text(text: str) -> str:
    """The same words: blank lines part paragraphs, web addresses become links, nothing is markup."""
    whole = LINE_END.sub("\n", text).strip("\n")
    paragraphs = (
        "<p>" + _linked(paragraph).replace("\n", "<br>\n") + "</p>"
        for paragraph in _PARAGRAPH_GAP.split(whole)
    )
    return "<html><body>\n" + "\n".join(paragraphs) + "\n</body></html>\n"


def _linked(text: str) -> str:
    if "://" not in text:
        return html.escape(text, quote=False)
    pieces, position = [], 0
    for link in _LINK.finditer(text):
        url = html.escape(link[0])
        pieces += [html.escape(text[position : link.start()], quote=False), f'<a href="{url}">{url}</a>']
        position = link.end()
    return "".join([*pieces, html.escape(text[position:], quote=False)])


def text_from_html(markup: str) -> str:
    return inscriptis.get_text(markup, _TEXT_LAYOUT).strip("\n") + "\n" if markup.strip() else ""


def text_template_from_html(markup: str) -> str:
    """The text part as a template, so that HTML is read once a step and not once a mail.

    Only for HTML whose Liquid is all {{ outputs }}: reading HTML moves text about in tables, so a condition
    could end up around other words than its own.
    """
    hidden = _OUTPUT.findall(markup)
    numbers = iter(range(len(hidden)))
    text = text_from_html(_OUTPUT.sub(lambda _: f"\ue000{next(numbers)}\ue001", _MASK.sub("", markup)))
    return _MASK.sub(lambda mask: hidden[int(mask[1])], text)
