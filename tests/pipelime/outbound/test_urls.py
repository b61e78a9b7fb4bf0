"""What of a url or a header is refused before anything is looked up."""

import pytest

from pipelime import outbound
from pipelime.outbound import (
    Malformed,
)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://hook.example/", "must begin with https://"),
        ("hook.example", "must begin with https://"),
        ("https://user:secret@hook.example/", "user name or password"),
        ("https://@hook.example/", "user name or password"),
        ("https://hook.example/#part", "fragment"),
        ("https://hook.example/#", "fragment"),
        ("https://hook.example/a b", "percent-encoded"),
        ("https://hook.example/\r\nX-A: b", "percent-encoded"),
        ("https://hook.example\\@evil.example/", "percent-encoded"),
        ("https://hook.example:0/", "port 0"),
        ("https://hook.example:70000/", "cannot be read"),
        ("https://hook.example:https/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://[fe80::1%25eth0]/", "not a host name"),
        ("https:///path", "not a host name"),
        ("https://hook%2eexample/", "not a host name"),
        ("https://xn--\u0661.example/", "not a host name"),
    ],
)
def test_a_malformed_url_says_what_is_wrong(url, told):
    with pytest.raises(Malformed, match=told) as refusal:
        outbound.parse_url(url)

    assert refusal.value.kind == "refused"
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "host", "authority", "path"),
    [
        ("https://Hook.Example", "hook.example", "hook.example", "/"),
        ("https://hook.example.:8443/a", "hook.example.", "hook.example:8443", "/a"),
        (
            "https://bücher.example/ä?q=ö%20&r",
            "xn--bcher-kva.example",
            "xn--bcher-kva.example",
            "/%C3%A4?q=%C3%B6%20&r",
        ),
        ("http://[2606:4700::1]:80/", "2606:4700::1", "[2606:4700::1]", "/"),
    ],
)
def test_a_url_is_taken_apart(url, host, authority, path):
    target = outbound.parse_url(url)

    assert (target.host, target.authority, target.path) == (host, authority, path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A\r\nBcc", "b"),
        ("X A", "b"),
        ("X-A:", "b"),
        ("", "b"),
        ("X" * 65, "b"),
        ("X-Ä", "b"),
        ("X-A", "b\r\nX-B: c"),
        ("X-A", "b\nc"),
        ("X-A", "b\x00"),
        ("X-A", "\u0100"),
        ("Host", "evil.example"),
        ("hOST", "evil.example"),
        ("Content-Length", "1"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "upgrade"),
        ("Accept-Encoding", "gzip"),
    ],
)
def test_a_header_that_would_smuggle_is_refused(name, value):
    with pytest.raises(Malformed, match=r"^header: "):
        outbound.check_headers({"X-Good": "fine", name: value})
