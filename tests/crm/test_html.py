"""HTML that people write: safe to show, and read as plain lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.html import html_of, is_html, text_of


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a < b & c\nd", "a &lt; b &amp; c<br />d"),
        ("a\r\nb\rc", "a<br />b<br />c"),
        ("Ada <ada@x.com>", "Ada &lt;ada@x.com&gt;"),
        ("Phone: 1\n--- more --- \nx\n---\ny",
         'Phone: 1<br /><p class="lead-desc-separator">--- more ---</p>x<br />---<br />y'),
    ],
)  # fmt: skip
def test_a_plain_text_becomes_lines(text, html):
    assert html_of(text) == html


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<b onclick=x>a</b><script>alert(1)</script>", "<b>a</b>"),
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<ul><li>a<b>c</ul>d", "<ul><li>a<b>c</b></li></ul>d"),
        ("<a href='javascript:alert(1)'>x</a>", '<a rel="noopener noreferrer">x</a>'),
        ("<a href=https://x.y/?a=1&b=2>x</a>",
         '<a href="https://x.y/?a=1&amp;b=2" rel="noopener noreferrer">x</a>'),
        ('<p class="lead-desc-separator x">---</p><p class="y">z</p>',
         '<p class="lead-desc-separator">---</p><p>z</p>'),
        ("<img src=x onerror=alert(1)>a", "a"),
        ("<<p>script>alert(1)</p>", "&lt;<p>script&gt;alert(1)</p>"),
        ("<table><tr><td>a</td></tr></table>", "a"),
        ("<style>p { color: red }</style><p>a</p>", "<p>a</p>"),
    ],
)  # fmt: skip
def test_only_harmless_tags_are_shown(written, shown):
    assert html_of(written) == shown


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a < b", "a < b"),
        ("<p>a</p>\r\n<p>b<br />\nc &amp; d</p>", "a\nb\nc & d"),
        ("x<div>a<ul><li>b</li><li>c</li></ul></div>d", "x\na\nb\nc\nd"),
        ("<p>a<script>alert('<p>')</script>b</p>", "ab"),
        ("<p>1&nbsp;2</p>", "1\xa02"),
    ],
)
def test_markup_is_read_as_lines(html, text):
    assert text_of(html) == text


TAGS = [
    "<p>", "</p>", "<b>", "</b>", "<a href=x>", "</a>", "<script>", "</script>", "<br>", "<div ", ">", "<",
    '"', "'", "&lt;", "&", "<!--", "-->", "<ul>", "<li>", "<svg>", "<style>", "onload=x", " ",
]  # fmt: skip


@given(st.lists(st.sampled_from(TAGS) | st.text(max_size=3)).map("".join))
def test_nothing_that_was_made_safe_changes_when_it_is_made_safe_again(text):
    shown = html_of(text)

    assert "<script" not in shown
    assert "<svg" not in shown
    assert not is_html(shown) or html_of(shown) == shown


@pytest.mark.parametrize("tag", ["<div>", "<b>", "<p><b><i><u>", "<ul><li>", "<a href=x>", "<b></p>"])
def test_what_is_nested_without_end_is_shown_to_a_hundred_deep(tag):
    shown = html_of(tag * 20_000 + "x")

    assert "x" in shown
    assert depth_of(shown) <= 100


def depth_of(html: str) -> int:
    depth = deepest = 0
    for part in html.split("<")[1:]:
        depth += -1 if part.startswith("/") else 1
        deepest = max(deepest, depth)
    return deepest
