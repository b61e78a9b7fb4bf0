"""What no honest client sends: values, query strings, bodies and headers, each as a strategy."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

from hypothesis import strategies as st

TEXTS = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "😀",
    "e\u0301",
    "\u202egnp.exe",
    "a" * 10_000,
    "%",
    "%_\\",
    "'",
    '"',
    "';--",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "x\r\nBcc: evil@example.com",
    "=cmd()",
    "{{ 7 }}",
    "{% raise %}",
    "{0.__class__}",
    "1e400",
    "NaN",
    "-1",
    "0",
    "1",
    "007",
    "9" * 18,
    "9" * 19,
    "9" * 30,
    "٣",
    "²",
    "true",
    "off",
    "null",
    "[]",
    "{}",
    "[[1]]",
    '[["a"],["b"]]',
    "[" * 500,
    ",",
    ",,1,",
    "a,b",
    "x=y&z",
    "2030-02-31",
    "2030-01-31",
    "2030-W01-1",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "20300312T0900Z",
    "09:15",
    "25:61",
    "won",
    "STANDBY",
    "lead",
    "email",
    "custom1",
    "unset",
    "desc",
    "id",
    "amount",
    "lead.creation",
    "url",
    "stef@example.com",
    "a@b.c\nx@y.z",
    "a@[127.0.0.1]",
    "http://[::1",
    "https://169.254.169.254/",
    "javascript:x",
]
NUMBERS = [
    0,
    1,
    -1,
    100,
    101,
    15,
    2**31,
    2**63 - 1,
    2**63,
    2**64,
    -(2**63) - 1,
    10**400,
    0.5,
    -0.0,
    1e308,
    1e-320,
]
SCALARS = [None, True, False, float("nan"), float("inf"), *NUMBERS, *TEXTS]


def values(ids: list[int]) -> st.SearchStrategy[Any]:
    """One value of a body; ids of rows, one's own and foreign ones, come up as often as anything else."""
    known = st.sampled_from(ids)
    scalar = st.one_of(st.sampled_from(SCALARS), known, known.map(str), st.text(max_size=20))
    return st.recursive(
        scalar,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    )


def texts(ids: list[int]) -> st.SearchStrategy[str]:
    return st.one_of(st.sampled_from(TEXTS), st.sampled_from(ids).map(str), st.text(max_size=20))


def escaped(text: str) -> str:
    return quote_plus(text.encode("utf-8", "surrogatepass"))


def queries(names: list[str], ids: list[int]) -> st.SearchStrategy[str]:
    """A query string: mostly parameters that exist, some as lists, some with escapes that are none."""
    name = st.sampled_from([*names, "", "\x00", "a[b]", "api_key"]).flatmap(
        lambda name: st.sampled_from([escaped(name), f"{escaped(name)}[]"])
    )
    value = st.one_of(texts(ids).map(escaped), st.sampled_from(["%ff%fe", "%zz", "%", "%ED%A0%80", "%C0%80"]))
    return st.lists(st.tuples(name, value).map("=".join), max_size=3).map("&".join)


def json_bodies(usual: Any, names: list[str], ids: list[int]) -> st.SearchStrategy[bytes]:
    """The usual body with a few values exchanged, or something else in its place."""
    odd = st.dictionaries(st.sampled_from(names), values(ids), max_size=3)
    if isinstance(usual, dict) and usual:
        odd = st.one_of(odd, st.dictionaries(st.sampled_from(sorted(usual)), values(ids), max_size=2))
    mixed = odd.map(lambda changes: {**(usual if isinstance(usual, dict) else {}), **changes})
    return st.one_of(mixed, mixed, mixed, values(ids), st.just(usual)).map(
        lambda body: json.dumps(body).encode()
    )


def form_bodies(usual: Any, names: list[str], ids: list[int]) -> st.SearchStrategy[bytes]:
    pairs = [(name, str(value)) for name, value in usual.items()] if isinstance(usual, dict) else []
    odd = st.lists(st.tuples(st.sampled_from([*names, "tags[]", "a[b][c]"]), texts(ids)), max_size=3)
    return odd.map(
        lambda more: "&".join(f"{escaped(name)}={escaped(value)}" for name, value in [*pairs, *more]).encode()
    )


BOUNDARY = "limes"
FILENAMES = [
    None,
    "",
    "a.txt",
    "../../../etc/passwd",
    "..\\..\\boot.ini",
    "/etc/passwd",
    'a"; name="b',
    "a\x00.txt",
    ".",
    "..",
    "con",
    "\u202egnp.exe",
    "x" * 5_000,
    "a\r\n b",
    "%00",
    "evil.html",
    "=cmd|' /C calc'!A0.csv",
]
PART_HEADERS = [
    "",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: bogus\r\n",
    "Content-Type: text/html\r\n",
    "Content-Type: text/plain; charset=utf-7\r\n",
    "Content-Type: multipart/mixed; boundary=x\r\n",
    "No colon\r\n",
    "Content-Length: -5\r\n",
    ":\r\n",
]
CONTENTS = [
    b"",
    b"An offer",
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    b"\x00\xff\xfe",
    b"%%%",
    b"PK\x03\x04",
    b"--limes--",
]


def part(name: str, filename: str | None, headers: str, content: bytes) -> bytes:
    named = f'name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {named}\r\n{headers}\r\n"
    return head.encode("utf-8", "surrogatepass") + content + b"\r\n"


def multipart_bodies(usual: Any, names: list[str], ids: list[int]) -> st.SearchStrategy[bytes]:
    usual_parts = b"".join(
        part(name, None, "", str(value).encode())
        for name, value in (usual if isinstance(usual, dict) else {}).items()
    )
    name = st.sampled_from(
        [*names, "attachment", "attachments", "attachments[]", "content", "", 'a"b', "\x00"]
    )
    content = st.one_of(
        st.sampled_from(CONTENTS), texts(ids).map(lambda text: text.encode("utf-8", "surrogatepass"))
    )
    parts = st.lists(
        st.builds(part, name, st.sampled_from(FILENAMES), st.sampled_from(PART_HEADERS), content), max_size=3
    )
    end = st.sampled_from([f"--{BOUNDARY}--\r\n", f"--{BOUNDARY}", "", "--other--\r\n"])
    return st.builds(lambda odd, end: usual_parts + b"".join(odd) + end.encode(), parts, end)


RAW = [
    b"",
    b" ",
    b"[" * 5_000,
    b"[" * 33 + b"]" * 33,
    b'{"a":' * 40 + b"1" + b"}" * 40,
    b'{"title": "a", "title": "b"}',
    b'{"title": "\\u0000"}',
    b'{"title": "\\ud800"}',
    b'{"title": "\xe9"}',
    b"title=\xff&description=%ff",
    b"=",
    b"&&&",
    "{}".encode("utf-16"),
    b"\xef\xbb\xbf{}",
    b"null",
    b'"text"',
    b"1e999",
    b"-",
    b"title",
    b"\x1f\x8b\x08\x00",
]
TYPES = [
    "application/json",
    "application/json; charset=bogus",
    "application/x-www-form-urlencoded",
    "text/plain",
    "*/*",
    "",
    "/",
    "nonsense",
    "application/json\x00",
    "multipart/form-data",
    f"multipart/form-data; boundary={BOUNDARY}",
    f"multipart/mixed; boundary={BOUNDARY}",
    "multipart/form-data; boundary=" + "x" * 300,
    "multipart/form-data; boundary=é",
]
HEADERS = [
    {},
    {},
    {},
    {"HTTP_ACCEPT": "text/html"},
    {"HTTP_ACCEPT": ";;,/;q=x"},
    {"HTTP_ACCEPT": "*/*;indent=" + "9" * 20},
    {"HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE"},
    {"HTTP_AUTHORIZATION": "Basic \x00"},
    {"HTTP_AUTHORIZATION": "Bearer "},
    {"HTTP_X_USER_TOKEN": "\xff" * 50},
    {"HTTP_COOKIE": "sessionid=\x00; ="},
    {"HTTP_X_FORWARDED_FOR": "::::, <x>"},
    {"CONTENT_LENGTH": "abc"},
    {"CONTENT_LENGTH": "-1"},
    {"CONTENT_LENGTH": "9" * 30},
    {"CONTENT_LENGTH": "3"},
    {"HTTP_ACCEPT_LANGUAGE": "x" * 5_000},
    {"HTTP_CONTENT_ENCODING": "gzip"},
    {"HTTP_RANGE": "bytes=-1"},
    {"HTTP_X_REQUEST_ID": "a\nb"},
    {"HTTP_IDEMPOTENCY_KEY": "\x00"},
    {"HTTP_HOST": "evil.example.com"},
]


def bodies(usual: Any, names: list[str], ids: list[int]) -> st.SearchStrategy[tuple[bytes, str]]:
    """(body, Content-Type), which fit each other more often than not."""
    mixed = f"multipart/form-data; boundary={BOUNDARY}"
    return st.one_of(
        st.tuples(json_bodies(usual, names, ids), st.just("application/json")),
        st.tuples(form_bodies(usual, names, ids), st.sampled_from(TYPES[:4])),
        st.tuples(multipart_bodies(usual, names, ids), st.just(mixed)),
        st.tuples(
            st.one_of(st.sampled_from(RAW), st.binary(max_size=60), json_bodies(usual, names, ids)),
            st.sampled_from(TYPES),
        ),
    )
