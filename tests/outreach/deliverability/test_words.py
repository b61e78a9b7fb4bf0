import pytest

from outreach.deliverability.words import of_step, warnings
from tests.factories import SequenceStepFactory

PLAIN = "Hi {{ first_name }}, may I ask you something about {{ company }}?"


def test_a_plain_letter_has_nothing_against_it():
    assert warnings("A question about {{ company }}", PLAIN, is_first=True) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It is 100% FREE, act now", '"100% free", "act now"'),
        ("Heute gratis und unverbindlich", '"gratis", "unverbindlich"'),
        ("Une offre limitée, sans engagement", '"offre limitée", "sans engagement"'),
    ],
)
def test_words_that_filters_dislike_are_named(text, found):
    assert warnings("Hello", text) == [f"spam filters dislike {found}."]


@pytest.mark.parametrize("text", ["the winners' circle", "a guaranteedly", "Migration", "actnow"])
def test_parts_of_words_are_no_spam(text):
    assert warnings("Hello", text) == []


def test_what_a_placeholder_is_called_is_nobody_s_business():
    assert warnings("{{ custom.FREE_MONEY }}", "{{ custom.urgent }} {% if winner %}x{% endif %}") == []


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("BUY THIS", "the subject is all in capitals."),
        ("x" * 71, "the subject has 71 characters; most programs show 70 at most."),
        ("Re: our talk", 'the subject begins with "Re:", but there is nothing that it answers.'),
        ("Hello!!!", "there are 3 exclamation marks; one says it too."),
    ],
)
def test_the_shape_of_a_subject_is_judged(subject, said):
    assert warnings(subject, PLAIN, is_first=True) == [said]


def test_a_follow_up_may_answer():
    assert warnings("Re: our talk", PLAIN) == []


def test_short_capitals_are_a_name():
    assert warnings("IBM", PLAIN) == []


def test_many_links_are_counted_in_text_and_in_html():
    text = " ".join(f"https://example.com/{n}" for n in range(4))
    markup = "<p>Hello to all of you there</p>" + '<a class="x" href="https://e.example">x</a>' * 4

    assert warnings("Hello", text) == ["there are 4 links; a letter to one person has few."]
    assert warnings("Hello", markup) == ["there are 4 links; a letter to one person has few."]


def test_an_image_alone_says_nothing():
    assert warnings("Hello", '<img src="https://e.example/a.png"><p>Look</p>') == [
        "it is nearly all image: filters cannot read it, and neither can people who block images."
    ]


def test_each_variant_is_named(account):
    step = SequenceStepFactory(
        account=account,
        variants=[
            {"key": "A", "weight": 1, "subject": "Hello", "body": "winner"},
            {"key": "B", "weight": 1, "subject": "Hello", "body": "fine"},
        ],
    )

    assert list(of_step(step)) == ['Step 1, variant A: spam filters dislike "winner".']
