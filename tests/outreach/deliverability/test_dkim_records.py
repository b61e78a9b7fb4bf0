import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from outreach.deliverability import dkim_records
from outreach.deliverability.signing import record_of
from tests.names import Table
from tests.outreach.deliverability.keys import a_key


def published(bits: int) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    return (
        "v=DKIM1; p="
        + base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    )


def test_a_key_under_a_usual_selector_is_found():
    table = Table({"selector1._domainkey.acme.example": [record_of(a_key())]})

    finding = dkim_records.check("acme.example", table)

    assert (finding.level, finding.found) == ("ok", "selector selector1: 2048 bits")


def test_only_the_given_selector_is_asked_for():
    table = Table({"google._domainkey.acme.example": [record_of(a_key())]})

    finding = dkim_records.check("acme.example", table, "other")

    assert (finding.level, finding.found) == ("warning", "no DKIM key")
    assert "other._domainkey.acme.example" in finding.advice
    assert table.questions == ["other._domainkey.acme.example"]


def test_a_short_key_is_to_be_renewed():
    table = Table({"s._domainkey.acme.example": [published(1024)]})

    finding = dkim_records.check("acme.example", table, "s")

    assert (finding.level, finding.found) == ("warning", "selector s: 1024 bits")


@pytest.mark.parametrize(
    ("record", "level", "found"),
    [
        ("v=DKIM1; p=", "warning", "selector s: revoked"),
        ("v=DKIM1; p=!!!", "warning", "selector s: unreadable"),
        ("v=DKIM1; p=AAAA", "warning", "selector s: unreadable"),
        ("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "ok", "selector s: ed25519"),
    ],
)
def test_what_is_published_is_read(record, level, found):
    finding = dkim_records.check("acme.example", Table({"s._domainkey.acme.example": [record]}), "s")

    assert (finding.level, finding.found) == (level, found)


@pytest.mark.parametrize(("signs", "level"), [(True, "problem"), (False, "warning")])
def test_our_own_key_must_be_published_to_sign_with_it(signs, level):
    own = record_of(a_key())
    table = Table({"p._domainkey.acme.example": ["v=DKIM1; p=AAAA"]})

    finding = dkim_records.check("acme.example", table, "p", own, signs=signs)

    assert (finding.level, finding.found) == (level, "another key is published")
    assert finding.advice == f'Add a TXT record at p._domainkey.acme.example: "{own}".'


def test_our_own_key_once_published_is_in_order():
    own = record_of(a_key())

    finding = dkim_records.check(
        "acme.example", Table({"p._domainkey.acme.example": [own]}), "p", own, signs=True
    )

    assert (finding.level, finding.found) == ("ok", "our key is published at p._domainkey.acme.example")
