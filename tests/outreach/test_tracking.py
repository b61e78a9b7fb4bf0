import re
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.bodies import Body
from outreach.models import TrackedLink
from outreach.tracking import is_wrappable, message_and_link, read, token_for, with_links, wrapped
from outreach.unsubscribing import unsubscribe_url
from pipelime.errors import NotFound
from tests.factories import AccountFactory, CampaignFactory, EnrolmentFactory, MessageFactory

PUBLIC = "https://go.acme.example"


@pytest.fixture(autouse=True)
def public(settings):
    settings.PIPELIME_PUBLIC_URL = PUBLIC


def message_of(account, **tracks):
    campaign = CampaignFactory(account=account, **tracks)
    return MessageFactory(account=account, enrolment=EnrolmentFactory(account=account, campaign=campaign))


@pytest.fixture
def message(account):
    return message_of(account, track_clicks=True)


def links_in(markup: str) -> list[str]:
    return re.findall(r"""href=["']([^"']*)["']""", markup)


def test_a_campaign_that_counts_nothing_leaves_the_body_alone(account, django_assert_num_queries):
    message, body = message_of(account), Body("Hello", "Hi https://a.example", None)

    with django_assert_num_queries(0):
        assert wrapped(body, message) is body


def test_links_lead_through_us_and_the_text_part_stays_as_it_is(message):
    body = wrapped(Body("Hello", "Look: https://a.example/x?a=1&b=2", None), message)

    [link] = links_in(body.html)
    assert link.startswith(f"{PUBLIC}/c/")
    assert message_and_link(link.removeprefix(f"{PUBLIC}/c/"))[1].url == "https://a.example/x?a=1&b=2"
    assert body.text == "Look: https://a.example/x?a=1&b=2"
    assert 'src="' not in body.html


def test_a_text_part_made_from_html_has_the_plain_links(message):
    body = wrapped(Body("Hello", None, '<a href="https://a.example/x">Look</a>'), message)

    assert "https://a.example/x" in body.text
    assert PUBLIC not in body.text


def test_the_same_address_is_one_link_in_all_mails(account, message, django_assert_num_queries):
    other = message_of(account, track_clicks=True)
    markup = '<a href="https://a.example/">1</a> <a class="b" href=\'https://a.example/\'>2</a>'

    with_links(markup, message)
    with django_assert_num_queries(1):
        with_links(markup, other)

    assert TrackedLink.objects.count() == 1


def test_the_way_out_is_never_counted(message):
    url = unsubscribe_url(message)

    body = wrapped(Body("Hello", None, f'<a href="{url}">Unsubscribe</a>'), message)

    assert links_in(body.html) == [url]


UNTOUCHED = [
    "mailto:bo@acme.example",
    "//evil.example/x",
    "https://user@evil.example/",
    "https://acme.example@evil.example/",
    "https://acme.example\\@evil.example/",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "ftp://a.example/",
    "http:a.example",
    "https:///a.example",
    "https://",
    "https://[::1",
    "#top",
    "/relative",
    "https://a.example/a b",
    "https://a.example/\r\nSet-Cookie: x",
    "https://a.example/" + "x" * 2000,
    "",
]


@pytest.mark.parametrize("url", UNTOUCHED)
def test_what_is_no_plain_web_address_stays_as_it_is(message, url):
    markup = f'<a href="{url}">x</a>'

    assert with_links(markup, message) == markup
    assert not TrackedLink.objects.exists()


@pytest.mark.parametrize(
    "url",
    ["https://a.example", "http://a.example:8080/x?y=1#z", "https://bücher.example/ö", "https://192.0.2.1/"],
)
def test_plain_web_addresses_are_counted(url):
    assert is_wrappable(url)


def test_only_links_are_touched(message):
    image, other = '<img src="https://a.example/i.png">', '<link href="https://a.example">'
    markup = f'{image}<p data-href="https://a.example">x</p>{other}'

    assert with_links(markup, message) == markup


def test_an_image_is_put_at_the_end_where_opens_are_counted(account):
    message = message_of(account, track_opens=True)

    body = wrapped(
        Body("Hello", None, '<html><body><a href="https://a.example">x</a></body></html>'), message
    )

    assert body.html == (
        '<html><body><a href="https://a.example">x</a>'
        f'<img src="{PUBLIC}/o/{token_for(message.uid)}.gif" width="1" height="1" alt="" style="border:0">'
        "</body></html>"
    )


def test_a_preview_leads_nowhere_through_us(account):
    message = message_of(account, track_clicks=True, track_opens=True)
    message.pk = None
    body = Body("Hello", None, '<a href="https://a.example">x</a>')

    assert wrapped(body, message) is body


def test_a_token_says_which_message_and_which_link():
    uid = uuid4()

    assert read(token_for(uid, 7)) == (uid, 7)
    assert read(token_for(uid)) == (uid, 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: token[:-4],
        lambda token: "B" + token[1:],
        lambda token: token[:22] + "B" + token[23:],
        lambda token: token + "=",
        lambda token: token + "AAAA",
        lambda token: "é" + token[1:],
        lambda token: "",
        lambda token: "../" + token,
        lambda token: token.replace("A", "-", 1) if "A" in token else token[::-1],
    ],
)
def test_a_changed_token_was_not_made_here(change):
    with pytest.raises(NotFound):
        read(change(token_for(uuid4(), 3)))


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=60))
def test_no_text_is_a_token_by_chance(text):
    with pytest.raises(NotFound):
        read(text)


def test_a_token_to_leave_is_no_token_of_a_click(message):
    with pytest.raises(NotFound):
        read(unsubscribe_url(message).rpartition("/")[2])


def test_a_signed_token_of_another_account_s_link_leads_nowhere(message):
    foreign = TrackedLink(account=AccountFactory(), url="https://evil.example", digest="x")
    TrackedLink._base_manager.bulk_create([foreign])

    with pytest.raises(NotFound):
        message_and_link(token_for(message.uid, foreign.pk))


def test_a_token_of_a_message_that_is_gone_leads_nowhere(db):
    with pytest.raises(NotFound):
        message_and_link(token_for(uuid4()))
