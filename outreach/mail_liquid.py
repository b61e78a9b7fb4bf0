"""Liquid as a mail may use it: few words, bounded time and size, and no silent blanks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import _GeneratorContextManager
from functools import wraps
from typing import Any, ClassVar

from liquid import BoundTemplate, Environment, RenderContext, Undefined
from liquid.ast import Node
from liquid.builtin import register
from liquid.builtin.expressions.logical import EqExpression, NeExpression
from liquid.builtin.expressions.primitive import Blank, Empty, IntegerLiteral, RangeLiteral
from liquid.exceptions import LiquidSyntaxError, ResourceLimitError
from liquid.expression import Expression
from liquid.token import Token
from liquid.undefined import UNDEFINED

MOST_ITERATIONS = 1_000
LARGEST_OUTPUT = 512 * 1024
RENDER_SECONDS = 1.0
LARGEST_NUMBER_BITS = 256
LONGEST_DATE_TEXT = 100


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TAGS = _words(
    """assign break capture case comment continue cycle decrement echo for if ifchanged increment liquid
    unless #"""
)
NUMBER_FILTERS = _words("abs at_least at_most ceil divided_by floor minus modulo plus round times")
TEXT_FILTERS = _words(
    """append capitalize downcase escape escape_once lstrip newline_to_br prepend remove remove_first
    remove_last replace replace_first replace_last rstrip slice split squish strip strip_html strip_newlines
    truncate truncatewords upcase url_decode url_encode"""
)
FILTERS = NUMBER_FILTERS | TEXT_FILTERS | _words("date default first join last size")

_PADDED_DATE = re.compile(r"%[^a-zA-Z%]*\d")


class VariableMissing(LookupError):
    """The template prints a variable that this contact does not have."""

    def __init__(self, name: str):
        super().__init__(
            f"{name} is missing or blank: fill it in, or give the template a fallback, "
            f'{{{{ {name} | default: "…" }}}}'
        )
        self.name = name


class Missing(Undefined):
    """False in a condition, replaced by `default`, an error as soon as it would be printed."""

    __slots__ = ()
    force_liquid_default = True

    def __str__(self) -> str:
        raise VariableMissing(self.name)

    def __int__(self) -> int:
        raise VariableMissing(self.name)

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Undefined) or other is None


class Equal(EqExpression):
    """Liquid says that an undefined variable is not blank; whoever asks in a mail means that it is."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        left, right = self.left.evaluate(context), self.right.evaluate(context)
        if isinstance(left, Missing) or isinstance(right, Missing):
            return _is_nothing(left) and _is_nothing(right)
        return bool(super().evaluate(context))


class Unequal(NeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        left, right = self.left.evaluate(context), self.right.evaluate(context)
        if isinstance(left, Missing) or isinstance(right, Missing):
            return not (_is_nothing(left) and _is_nothing(right))
        return bool(super().evaluate(context))


def _is_nothing(value: object) -> bool:
    return value is None or value == "" or isinstance(value, (Undefined, Blank, Empty))


class Rendering(RenderContext):
    """Counts every loop of a rendering together and ends one that takes too long."""

    __slots__ = ("deadline", "iterations")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.deadline = time.monotonic() + RENDER_SECONDS
        self.iterations = 0

    def raise_if_late(self) -> None:
        if time.monotonic() > self.deadline:
            raise ResourceLimitError(f"the text takes over {RENDER_SECONDS:g} s to make", token=None)

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        value = super().get(path, token=token, default=default)
        if isinstance(value, Missing) and value.token is token:
            value.name = ".".join(map(str, path))
        return value

    def get_item(self, obj: Any, key: Any) -> object:
        """A custom field may be called size or first: in a dict these are names like any other."""
        return obj[key] if isinstance(obj, dict) else super().get_item(obj, key)

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        self.raise_if_late()
        return super().filter(name, token)

    def loop(self, namespace: Mapping[str, object], forloop: Any) -> _GeneratorContextManager[RenderContext]:
        self.iterations += forloop.length
        if self.iterations > MOST_ITERATIONS:
            raise ResourceLimitError(f"the loops run over {MOST_ITERATIONS:,} times in all", token=None)
        forloop.it = self.paced(forloop.it)
        return super().loop(namespace, forloop)

    def paced(self, items: Iterator[object]) -> Iterator[object]:
        for item in items:
            self.raise_if_late()
            yield item


class MailTemplate(BoundTemplate):
    context_class = Rendering


class MailEnvironment(Environment):
    loop_iteration_limit: ClassVar[int | None] = MOST_ITERATIONS
    output_stream_limit: ClassVar[int | None] = LARGEST_OUTPUT
    local_namespace_limit: ClassVar[int | None] = 100_000
    context_depth_limit: ClassVar[int] = 10
    template_class = MailTemplate

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        register(self)
        internal = {
            name for name, tag in self.tags.items() if not tag.__module__.startswith("liquid.builtin.tags")
        }
        self.tags = {name: tag for name, tag in self.tags.items() if name in TAGS | internal}
        self.filters = {name: guarded(name, self.filters[name]) for name in FILTERS}


def guarded(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    """Lets a missing value pass through to `default` or to the output, and bounds what a filter makes."""
    if name in {"default", "size"}:
        return filter_
    refuse_excess = _GUARDS.get(name)

    @wraps(filter_)
    def careful(value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, Missing):
            return value
        for arg in args:
            if isinstance(arg, Missing):
                return arg
        if refuse_excess:
            refuse_excess(value, *args)
        result = filter_(value, *args, **kwargs)
        if isinstance(result, int) and result.bit_length() > LARGEST_NUMBER_BITS:
            raise ResourceLimitError(f"{name} makes a number that is too large", token=None)
        return result

    return careful


def _guard_replace(value: Any, old: Any = "", new: Any = "", *_: Any) -> None:
    text = str(value)
    _refuse_over_limit("replace", len(text) + text.count(str(old)) * len(str(new)))


def _guard_join(value: Any, separator: Any = " ", *_: Any) -> None:
    if isinstance(value, (list, tuple, range)):
        _refuse_over_limit("join", sum(len(str(item)) + len(str(separator)) for item in value))


def _guard_date(value: Any, form: Any = "", *_: Any) -> None:
    """Neither a page of digits to parse nor a width such as %999999d is a date that anyone meant."""
    if max(len(str(value)), len(str(form))) > LONGEST_DATE_TEXT or _PADDED_DATE.search(str(form)):
        raise ResourceLimitError("date takes a short form such as '%d %B %Y', without widths", token=None)


def _refuse_over_limit(name: str, length: int) -> None:
    if length > LARGEST_OUTPUT:
        raise ResourceLimitError(f"{name} would make over {LARGEST_OUTPUT // 1024} KiB", token=None)


_GUARDS: dict[str, Callable[..., None]] = {
    "replace": _guard_replace,
    "join": _guard_join,
    "date": _guard_date,
}


PLAIN = MailEnvironment(undefined=Missing)
ESCAPING = MailEnvironment(undefined=Missing, autoescape=True)


def settle_expressions(bound: BoundTemplate) -> None:
    for expression in _expressions(bound.nodes, Rendering(bound)):
        if isinstance(expression, RangeLiteral):
            _refuse_long_range(expression)
        elif type(expression) is EqExpression:
            expression.__class__ = Equal
        elif type(expression) is NeExpression:
            expression.__class__ = Unequal


def _refuse_long_range(span: RangeLiteral) -> None:
    """Some tags make a list of a range before they count it, so its length is judged while it is text."""
    start, stop = span.start, span.stop
    if not isinstance(start, IntegerLiteral) or not isinstance(stop, IntegerLiteral):
        raise LiquidSyntaxError("a range needs two whole numbers, as in (1..3)", token=span.token)
    if stop.value - start.value >= MOST_ITERATIONS:
        raise LiquidSyntaxError(
            f"the range ({start.value}..{stop.value}) has over {MOST_ITERATIONS:,} numbers", token=span.token
        )


def _expressions(nodes: Sequence[Node], context: RenderContext) -> Iterator[Expression]:
    waiting: list[Node] = list(nodes)
    while waiting:
        node = waiting.pop()
        waiting.extend(node.children(context, include_partials=False))
        for expression in node.expressions():
            yield from _with_parts(expression)


def _with_parts(expression: Expression) -> Iterator[Expression]:
    yield expression
    for part in expression.children():
        yield from _with_parts(part)
