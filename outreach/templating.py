"""Liquid templates that users write: compiled once, bounded in time and size, never silently blank."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate
from liquid.exceptions import LiquidError

from outreach.mail_liquid import ESCAPING, FILTERS, PLAIN, VariableMissing, settle_expressions

__all__ = [
    "Template",
    "TemplateInvalid",
    "VariableMissing",
    "check",
    "compile_template",
    "one_line",
    "render",
    "render_line",
    "variables",
    "visible",
]

LONGEST_TEMPLATE = 200_000
COMPILED_TEMPLATES = 2_048
ALWAYS_KNOWN = frozenset({"now", "today"})

_OPENING = re.compile(r"\{\{|\{%")
_CLOSING = {"{{": "}}", "{%": "%}"}
_LONG_GAP = re.compile(r"\s{100}")
_VERBATIM_TAG = re.compile(r"-?\s*(raw|doc)\b")
_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


class TemplateInvalid(ValueError):
    """The template cannot be compiled, or asks for more than a mail may take."""

    def __init__(self, message: str, line: int | None = None):
        super().__init__(f"line {line}: {message}" if line else message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    text: str
    bound: BoundTemplate


@lru_cache(maxsize=COMPILED_TEMPLATES)
def compile_template(text: str, *, html: bool = False) -> Template:
    """With html=True every value is escaped for an HTML body."""
    _refuse_unreadable(text)
    try:
        bound = (ESCAPING if html else PLAIN).from_string(text)
        _refuse_unknown_filters(bound, text)
        settle_expressions(bound)
    except (LiquidError, RecursionError) as error:
        raise _invalid(error, text) from None
    return Template(text, bound)


def render(template: Template, data: Mapping[str, Any]) -> str:
    plain = visible(data)
    try:
        return template.bound.render(plain)
    except VariableMissing:
        raise
    except (LiquidError, ArithmeticError, ValueError, TypeError, RecursionError, OSError) as error:
        raise _invalid(error, template.text) from None


def render_line(template: Template, data: Mapping[str, Any]) -> str:
    """A subject: whatever the template and its values hold, one line."""
    return one_line(render(template, data))


def one_line(text: str) -> str:
    return _LINE_BREAKS.sub(" ", text).strip()


def visible(data: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of plain values only, without the blank ones, so that nothing else can be reached."""
    return {str(name): plain for name, value in data.items() if (plain := _plain(name, value)) is not None}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, str):
        # A subclass could mark itself as safe HTML and so escape escaping.
        exact = value if type(value) is str else "".join([value])
        return None if not exact or exact.isspace() else exact
    if value is None or isinstance(value, (bool, int, float, Decimal, datetime.date)):
        return value
    if isinstance(value, Mapping):
        return visible(value)
    if isinstance(value, (list, tuple)):
        return [plain for item in value if (plain := _plain(name, item)) is not None]
    raise TypeError(
        f"{name} is a {type(value).__name__}; a template takes text, numbers, dates, lists and dicts"
    )


def variables(text: str) -> set[str]:
    """The names, dotted where they are nested, that the template expects to be given."""
    found = compile_template(text).bound.analyze(include_partials=False).globals
    paths = (variable.segments for uses in found.values() for variable in uses)
    return {_dotted(path) for path in paths} - ALWAYS_KNOWN


def check(text: str, known: set[str]) -> list[str]:
    """What is wrong with a template, in plain words; `custom.*` in known stands for all below custom."""
    try:
        names = variables(text)
    except TemplateInvalid as error:
        return [str(error)]
    return [_unknown(name, known) for name in sorted(names) if not _is_known(name, known)]


def _is_known(name: str, known: set[str]) -> bool:
    parents = name.split(".")
    return name in known or any(".".join(parents[:depth]) + ".*" in known for depth in range(1, len(parents)))


def _unknown(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"unknown variable {name}" + (f": did you mean {close[0]}?" if close else "")


def _dotted(path: Sequence[Any]) -> str:
    return ".".join(str(part) for part in path if not isinstance(part, list))


def _refuse_unreadable(text: str) -> None:
    """Looks for what the lexer's patterns would read in quadratic time, in one pass."""
    if len(text) > LONGEST_TEMPLATE:
        raise TemplateInvalid(
            f"the text has {len(text):,} characters; at most {LONGEST_TEMPLATE:,} are allowed"
        )
    position = 0
    while opening := _OPENING.search(text, position):
        line = text.count("\n", 0, opening.start()) + 1
        position = _end_of_tag(text, opening, line)


def _end_of_tag(text: str, opening: re.Match[str], line: int) -> int:
    closing = _CLOSING[opening[0]]
    end = text.find(closing, opening.end())
    if end < 0:
        raise TemplateInvalid(f"{opening[0]} is never closed; end it with {closing}", line)
    if _LONG_GAP.search(text, opening.end(), end):
        raise TemplateInvalid(f"over 100 blanks between {opening[0]} and {closing}", line)
    if opening[0] == "{%" and (verbatim := _VERBATIM_TAG.match(text, opening.end())):
        raise TemplateInvalid(f"the tag {verbatim[1]} is not available in a mail", line)
    return end + len(closing)


def _refuse_unknown_filters(bound: BoundTemplate, text: str) -> None:
    for name, places in bound.analyze(include_partials=False).filters.items():
        if name not in FILTERS:
            close = difflib.get_close_matches(name, sorted(FILTERS), n=1)
            suggestion = f"; did you mean {close[0]}?" if close else ""
            raise TemplateInvalid(f"unknown filter {name}{suggestion}", _line(text, places[0].index))


def _invalid(error: Exception, text: str) -> TemplateInvalid:
    if not isinstance(error, LiquidError):
        return TemplateInvalid(f"the text cannot be made: {error}")
    cause = f": {error.__cause__}" if error.__cause__ and not error.token else ""
    message = f"{error.message}{cause}".replace("end of expression", "the end")
    return TemplateInvalid(message, _line(text, error.token.start_index) if error.token else None)


def _line(text: str, index: int) -> int:
    """A negative index stands for the end, where a tag that should have been closed is missed."""
    return text.count("\n", 0, index if index >= 0 else len(text)) + 1
