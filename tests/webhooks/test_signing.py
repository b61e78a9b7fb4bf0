import base64
import re
from datetime import timedelta

import pytest
import standardwebhooks
from django.utils import timezone

from pipelime.events.models import Event
from tests.factories import EndpointFactory
from webhooks.endpoints import create_endpoint, rotate_secret
from webhooks.models import Endpoint
from webhooks.signing import Signer, key_of, new_secret

BODY = '{"type":"contact.created","data":{"name":"Zoé"}}'.encode()


def test_a_secret_is_32_random_bytes_in_base64():
    one, other = new_secret(), new_secret()

    assert one != other
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", one)
    assert len(key_of(one)) == 32


@pytest.mark.parametrize("length", [0, 23, 65])
def test_keys_shorter_than_24_or_longer_than_64_bytes_are_refused(length):
    with pytest.raises(ValueError, match="24 to 64"):
        key_of("whsec_" + base64.b64encode(b"x" * length).decode())


@pytest.mark.parametrize("length", [24, 64])
def test_keys_of_24_and_64_bytes_are_accepted(length):
    assert key_of("whsec_" + base64.b64encode(b"x" * length).decode()) == b"x" * length


def test_a_secret_without_its_prefix_is_refused():
    with pytest.raises(ValueError, match="whsec_"):
        key_of(base64.b64encode(b"x" * 32).decode())


def test_the_reference_library_verifies_our_signature(account):
    endpoint = EndpointFactory(account=account, secret=new_secret())

    headers = Signer(endpoint).headers("msg_1", BODY, timezone.now())

    assert standardwebhooks.Webhook(endpoint.secret).verify(BODY, headers)["data"] == {"name": "Zoé"}


@pytest.mark.parametrize("what", ["body", "id", "timestamp", "secret"])
def test_a_change_of_any_signed_part_is_noticed(account, what):
    endpoint = EndpointFactory(account=account, secret=new_secret())
    headers = Signer(endpoint).headers("msg_1", BODY, timezone.now())
    body, secret = BODY, endpoint.secret
    if what == "body":
        body = BODY.replace(b"contact", b"kontakt")
    elif what == "id":
        headers["webhook-id"] = "msg_2"
    elif what == "timestamp":
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 1)
    else:
        secret = new_secret()

    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(body, headers)


def test_for_24_hours_after_a_rotation_both_secrets_verify(account, user):
    old = new_secret()
    endpoint = EndpointFactory(account=account, secret=old)

    new = rotate_secret(endpoint, by=user)

    headers = Signer(Endpoint.objects.get()).headers("msg_1", BODY, timezone.now())
    assert len(headers["webhook-signature"].split()) == 2
    for secret in (old, new):
        standardwebhooks.Webhook(secret).verify(BODY, headers)


def test_a_day_after_a_rotation_the_old_secret_no_longer_signs(account, user):
    old = new_secret()
    endpoint = EndpointFactory(account=account, secret=old)
    new = rotate_secret(endpoint, by=user)
    signer = Signer(Endpoint.objects.get())

    last = signer.headers("msg_1", BODY, endpoint.old_secret_until - timedelta(seconds=1))
    after = signer.headers("msg_1", BODY, endpoint.old_secret_until)

    assert endpoint.old_secret_until - timezone.now() > timedelta(hours=23, minutes=59)
    assert len(last["webhook-signature"].split()) == 2
    [signature] = after["webhook-signature"].split()
    assert (
        signature
        == Signer(EndpointFactory(secret=new)).headers("msg_1", BODY, endpoint.old_secret_until)[
            "webhook-signature"
        ]
    )


def test_a_secret_is_neither_shown_nor_recorded_nor_stored_in_clear(account, user):
    endpoint, secret = create_endpoint(account, by=user, url="https://hooks.example.com/in", events=["*"])
    rotated = rotate_secret(endpoint, by=user)

    stored = Endpoint.objects.get()
    shown = [repr(stored), str(stored), repr(stored.__dict__), repr(Signer(stored)), repr(stored.snapshot())]
    events = [repr(event.data) for event in Event.objects.all()]
    columns = [repr(row) for row in Endpoint.objects.values_list("secret", "old_secret")]
    assert len(events) == 2
    for text in (secret, rotated, secret.removeprefix("whsec_"), rotated.removeprefix("whsec_")):
        assert not any(text in place for place in [*shown, *events, *columns])
    assert (stored.secret, stored.old_secret) == (rotated, secret)
