from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.incoming.reading import head, read
from tests.crm.receiving.mails import NASTY
from tests.outreach.incoming.conftest import CORPUS, NOW, letter

PIECES = [path.read_bytes() for path in sorted(CORPUS.glob("*.eml"))]


@pytest.mark.parametrize("name", NASTY)
def test_nothing_that_a_mail_holds_stops_its_reading(name):
    assert head(NASTY[name], NOW).digest
    assert read(NASTY[name], NOW).kind


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=600))
def test_any_bytes_are_read(raw):
    assert read(raw, NOW).kind


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(PIECES), st.data())
def test_mails_with_a_piece_torn_out_or_put_in_are_read(raw, data):
    begin = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(begin, min(len(raw), begin + 200)))
    filling = data.draw(st.binary(max_size=40))

    assert read(raw[:begin] + filling + raw[end:], NOW).kind


def test_what_a_mail_answers_stands_last():
    raw = b"References: <1@a> <2@a> <3@a>\r\nIn-Reply-To: <2@a>\r\n\r\nYes"

    assert read(raw, NOW).references == ["<1@a>", "<3@a>", "<2@a>"]


@pytest.mark.parametrize("name", ["reply_gmail", "bounce_exchange_unknown", "reply_to_a_plus_address"])
def test_the_headers_alone_tell_whether_the_rest_is_worth_fetching(name):
    raw = letter(name)
    ours, whole = head(raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", NOW), read(raw, NOW)

    assert (ours.references, ours.tokens, ours.looks_like_report, ours.digest) == (
        whole.references, whole.tokens, whole.looks_like_report, whole.digest,
    )  # fmt: skip
    assert ours.references or ours.tokens


def test_a_clock_that_goes_wrong_is_not_believed():
    ahead = f"Date: {NOW + timedelta(days=400):%a, %d %b %Y %H:%M:%S} +0000\r\n\r\nYes".encode()
    right = f"Date: {NOW - timedelta(hours=3):%a, %d %b %Y %H:%M:%S} +0000\r\n\r\nYes".encode()

    assert read(ahead, NOW).at == NOW
    assert read(right, NOW).at == NOW - timedelta(hours=3)
    assert read(b"Date: yesterday\r\n\r\nYes", NOW).at == NOW
