"""docs/api/README.md promises nothing that the API does not have."""

from __future__ import annotations

import base64
import re

import orjson
import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from pipelime.accounts.keys import SUBJECTS
from pipelime.api.native.documentation import document
from tests.factories import EndpointFactory
from webhooks.signing import Signer

TEXT = (settings.BASE / "docs" / "api" / "README.md").read_text()
PATHS = orjson.loads(document())["paths"]
BODY = b'{"type":"message.sent"}'


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def requests() -> set[tuple[str, str]]:
    """(method, path) of every example, with {id} for what a variable names."""
    commands = [
        command for block in blocks("sh") for command in block.replace("\\\n", " ").split("curl ")[1:]
    ]
    return {(method_of(command), path_of(command)) for command in commands}


def method_of(command: str) -> str:
    if named := re.search(r"-X (\w+)", command):
        return named[1].lower()
    return "post" if re.search(r"\s(-d|-F|--data-binary)\s", command) else "get"


def path_of(command: str) -> str:
    [path] = re.findall(r"\$API(/[^\s\"'?]*)", command)
    return "/api" + re.sub(r"\$[A-Z_]+", "{id}", path)


def test_every_example_is_a_request_that_the_api_takes():
    unknown = [example for example in requests() if example[0] not in PATHS.get(example[1], {})]

    assert len(requests()) > 40
    assert unknown == []


def test_every_resource_has_an_example():
    shown = {path.split("/")[2] for _, path in requests()}

    assert {path.split("/")[2] for path in PATHS} - shown == set()


def test_every_subject_of_scopes_is_named():
    assert [subject for subject in SUBJECTS if f"`{subject}`" not in TEXT] == []


@pytest.fixture
def verify():
    names: dict = {}
    [code] = blocks("python")
    exec(code, names)
    return names["verify"]


@pytest.fixture
def signed(account):
    """An endpoint's secret, and what a delivery to it carries."""
    endpoint = EndpointFactory(account=account)
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False):
        yield endpoint.secret, Signer(endpoint).headers("msg_1", BODY, timezone.now())


def test_the_lines_that_verify_accept_a_true_delivery(verify, signed):
    secret, headers = signed

    verify(secret, headers, BODY)
    verify(secret, headers | {"webhook-signature": f"v1,old {headers['webhook-signature']}"}, BODY)


@pytest.mark.parametrize("fault", ["body", "id", "secret", "late"])
def test_the_lines_that_verify_refuse_a_false_one(verify, signed, fault):
    secret, headers = signed
    body = BODY + b" " if fault == "body" else BODY
    if fault == "id":
        headers["webhook-id"] = "msg_2"
    if fault == "secret":
        secret = f"whsec_{base64.b64encode(b'x' * 32).decode()}"
    moment = "2030-01-01T00:06:00Z" if fault == "late" else "2030-01-01T00:00:00Z"

    with time_machine.travel(moment, tick=False), pytest.raises(ValueError, match=r"too old|not signed"):
        verify(secret, headers, body)
