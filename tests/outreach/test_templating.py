import contextlib
import datetime
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.templating import (
    TemplateInvalid,
    VariableMissing,
    check,
    compile_template,
    render,
    render_line,
    variables,
    visible,
)

ANA = {
    "first_name": "Ana",
    "company": "Acme",
    "phone": None,
    "city": "  ",
    "custom": {"product": "X", "size": ""},
}
BLOCK_OF_TEXT = "{% capture a %}{% for i in (1..900) %}" + "a" * 55 + "{% endfor %}{% endcapture %}"


def rendered(text: str, data: dict | None = None, *, html: bool = False) -> str:
    return render(compile_template(text, html=html), ANA if data is None else data)


def test_a_template_prints_the_contact():
    assert rendered("Hi {{ first_name }} of {{ company }}: {{ custom.product }}") == "Hi Ana of Acme: X"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hi {{ nickname }},", "nickname"),
        ("Call {{ phone }}", "phone"),
        ("In {{ city }}", "city"),
        ("{{ custom.size }}", "custom.size"),
        ("{{ sender.name }}", "sender.name"),
        ("{{ nickname | upcase }}", "nickname"),
        ("{{ nickname | date: '%Y' }}", "nickname"),
        ("{{ 'Hi ' | append: nickname }}", "nickname"),
        ("{% assign name = nickname | strip %}{{ name }}", "nickname"),
        ("{% echo nickname %}", "nickname"),
        ("{% capture x %}{{ nickname }}{% endcapture %}", "nickname"),
        ("{% for i in (1..3) limit: nickname %}{{ i }}{% endfor %}", "nickname"),
    ],
)
def test_printing_a_missing_or_blank_variable_names_it(text, name):
    with pytest.raises(VariableMissing) as caught:
        rendered(text)

    assert caught.value.name == name
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% if phone %}a{% else %}b{% endif %}", "b"),
        ("{% unless nickname %}b{% endunless %}", "b"),
        ("{{ city | default: 'your city' }}", "your city"),
        ("{{ nickname | upcase | default: 'there' }}", "there"),
        ("{{ first_name | default: 'there' }}", "Ana"),
        ("{% if phone == blank %}b{% endif %}", "b"),
        ("{% if phone != blank %}{{ phone }}{% endif %}", ""),
        ("{% if phone == empty %}b{% endif %}", "b"),
        ("{% if phone == nil %}b{% endif %}", "b"),
        ('{% if phone == "" %}b{% endif %}', "b"),
        ("{% if phone == first_name %}a{% else %}b{% endif %}", "b"),
        ("{% if first_name != blank and phone == blank %}b{% endif %}", "b"),
        ("{% for p in phones %}{{ p }}{% endfor %}", ""),
    ],
)
def test_a_missing_variable_is_false_blank_and_replaceable(text, expected):
    assert rendered(text) == expected


@pytest.mark.parametrize("name", ["size", "first", "last"])
def test_a_custom_field_may_have_a_name_that_liquid_knows(name):
    assert rendered("{{ custom." + name + " }}", {"custom": {name: "large", "other": "x"}}) == "large"


def test_values_are_escaped_in_html_and_only_there():
    data = {"company": "<b>A&B</b>"}

    assert rendered("{{ company }}", data, html=True) == "&lt;b&gt;A&amp;B&lt;/b&gt;"
    assert rendered("{{ company }}", data) == "<b>A&B</b>"


def test_a_string_that_calls_itself_safe_is_escaped_all_the_same():
    class Safe(str):
        def __html__(self):
            return self

    assert rendered("{{ company }}", {"company": Safe("<b>")}, html=True) == "&lt;b&gt;"


def test_a_subject_is_one_line():
    template = compile_template("Hello\r\n{{ first_name }}\n")

    assert (
        render_line(template, {"first_name": "Ana\r\nBcc: eve@evil.example"})
        == "Hello Ana Bcc: eve@evil.example"
    )


def test_visible_keeps_plain_values_and_drops_blank_ones():
    day = datetime.date(2026, 11, 21)

    seen = visible(
        {"a": "x", "b": "", "c": None, "d": " \n", "e": 0, "f": False, "g": {"h": ""}, "i": ["", 1], "j": day}
    )

    assert seen == {"a": "x", "e": 0, "f": False, "g": {}, "i": [1], "j": day}


def test_an_object_is_refused_so_that_its_attributes_cannot_be_reached():
    with pytest.raises(TypeError, match="contact is a object; a template takes text"):
        rendered("{{ contact }}", {"contact": object()})


@pytest.mark.parametrize("path", ["settings", "env", "first_name.__class__", "custom.items", "__builtins__"])
def test_nothing_beyond_the_data_can_be_read(path):
    with pytest.raises(VariableMissing):
        rendered("{{ " + path + " }}")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a\n{% if x %}", 2, "expected tag endif"),
        ("a\n\n{{ first_name", 3, "{{ is never closed; end it with }}"),
        ("{% bogus %}", 1, "unexpected tag 'bogus'"),
        ("{% include 'secrets' %}", 1, "unexpected tag 'include'"),
        ("{% render 'secrets' %}", 1, "unexpected tag 'render'"),
        ("{% tablerow i in (1..3) %}{% endtablerow %}", 1, "unexpected tag 'tablerow'"),
        ("{% raw %}{% endraw %}", 1, "the tag raw is not available in a mail"),
        ("a\n{{ first_name | upcas }}", 2, "unknown filter upcas; did you mean upcase?"),
        ("{{ first_name | safe }}", 1, "unknown filter safe"),
        ("{% for i in (1..n) %}{% endfor %}", 1, "a range needs two whole numbers"),
        ("{% for i in (1..1001) reversed %}{% endfor %}", 1, "the range (1..1001) has over 1,000 numbers"),
    ],
)
def test_a_wrong_template_says_where_and_what(text, line, message):
    with pytest.raises(TemplateInvalid) as caught:
        compile_template(text)

    assert caught.value.line == line
    assert message in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "{{" * 90_000,
        "{% " * 60_000 + "%}",
        "{{" + " " * 190_000 + "}}",
        "{{ a" * 40_000 + "}}",
        "{% raw %}" * 20_000,
        "{{ a" + "[a" * 5_000 + "]" * 5_000 + " }}",
        "{% if a " + "and a " * 20_000 + "%}x{% endif %}",
        "{% if a %}" * 1_000,
        "x" * 200_001,
        "{% if (1..1000000000) contains 'a' %}{% endif %}",
        "{{ (1..1000000000) | join: 'a' }}",
    ],
)
def test_a_template_made_to_stall_the_compiler_is_refused_at_once(text):
    began = time.process_time()

    with pytest.raises(TemplateInvalid):
        compile_template(text)

    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{% for i in (1..999) %}{% for j in (1..999) %}x{% endfor %}{% endfor %}",
            "the loops run over 1,000 times",
        ),
        (
            "{% for i in (1..999) %}{% endfor %}{% for i in (1..2) %}{% endfor %}",
            "the loops run over 1,000 times",
        ),
        (
            "{% assign a = 'a' %}{% for i in (1..99) %}{% assign a = a | append: a %}{% endfor %}",
            "namespace limit",
        ),
        (BLOCK_OF_TEXT + "{{ a }}" * 11, "output stream limit"),
        (BLOCK_OF_TEXT + "{{ a | replace: 'a', a }}", "replace would make over 512 KiB"),
        (BLOCK_OF_TEXT + "{{ a | split: '' | join: a }}", "join would make over 512 KiB"),
        ("{% assign x = 9 %}{% for i in (1..99) %}{% assign x = x | times: x %}{% endfor %}", "too large"),
        ("{{ 'now' | date: '%99999999d' }}", "date takes a short form"),
        ("{{ '99999999999999999999' | date: '%Y' }}", "the text cannot be made"),
        ("{{ 1 | divided_by: 0 }}", "can't divide by 0"),
        (
            BLOCK_OF_TEXT
            + "{% for i in (1..90) %}"
            + "{{ a | upcase | downcase | size }}" * 900
            + "{% endfor %}",
            "over 1 s",
        ),
    ],
)
def test_a_bomb_is_defused(text, message):
    template = compile_template(text)
    began = time.process_time()

    with pytest.raises(TemplateInvalid, match=message):
        render(template, {})

    assert time.process_time() - began < 3


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="{}%|. abifforendassign:'\"()[]1", max_size=60))
def test_any_text_renders_or_is_refused_in_our_own_words(text):
    with contextlib.suppress(TemplateInvalid, VariableMissing):
        assert isinstance(rendered(text, {"a": "b"}), str)


def test_variables_are_found_without_rendering():
    text = (
        "{% assign greeting = first_name | default: nickname %}{{ greeting }} {{ sender.name }}"
        "{% if custom.product %}{% for i in tags %}{{ i }}{{ forloop.index }}{% endfor %}{% endif %}{{ now }}"
    )

    assert variables(text) == {"first_name", "nickname", "sender.name", "custom.product", "tags"}


def test_check_names_what_is_unknown_and_what_was_meant():
    known = {"first_name", "last_name", "custom.*"}

    problems = check("{{ frist_name }} {{ last_name }} {{ custom.anything }} {{ qqq }}", known)

    assert problems == ["unknown variable frist_name: did you mean first_name?", "unknown variable qqq"]


def test_check_of_a_broken_template_tells_the_line():
    assert check("a\n{% if a %}\nb", {"a"}) == ["line 3: expected tag endif, found the end"]


def test_the_same_text_is_compiled_once():
    assert compile_template("Hi {{ a }}") is compile_template("Hi {{ a }}")
    assert compile_template("Hi {{ a }}") is not compile_template("Hi {{ a }}", html=True)
