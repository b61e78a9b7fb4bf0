"""docs/api/propipelines.md names every route, error and event of this API, and none besides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace

import orjson
import pytest
from django.conf import settings
from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, resolve
from django.utils import timezone

from pipelime.accounts.keys import create_key
from pipelime.api.propipelines import errors
from pipelime.api.propipelines.event_names import ADVANCED, BASIC, TO_STEP
from pipelime.api.propipelines.events import dialect
from pipelime.api.propipelines.resources import ProPipeLinesViewSet, Unknown
from pipelime.api.propipelines.urls import simple_urlpatterns, urlpatterns
from tests.factories import LeadFactory
from webhooks.endpoints import create_endpoint, trigger

pytestmark = pytest.mark.once

TEXT = (settings.BASE / "docs" / "api" / "propipelines.md").read_text()
ROW = re.compile(r"^\| (GET|POST|PUT|DELETE) \| `([^`]+)` \| ([^|]+) \| (?:`([^`]+)`)? ?\|", re.MULTILINE)
FAULT = re.compile(r"^\| (\d{3}) \| `(\w+)` \|", re.MULTILINE)
# Nobody is known yet, or nobody need be.
PUBLIC = {"login": "Basic", "logout": "person"}


def rows() -> list[tuple[str, ...]]:
    return ROW.findall(TEXT)


def routes() -> Iterator[tuple[str, ...]]:
    """(method, path, who, scope) of everything that the URLconf has."""
    for mount, patterns in (("", urlpatterns), ("/api/simple/", simple_urlpatterns)):
        for pattern in patterns:
            if pattern.callback.cls is not Unknown:
                yield from routes_of(pattern, mount)


def routes_of(pattern: URLPattern, mount: str) -> Iterator[tuple[str, ...]]:
    path = re.sub(r"<(\w+)>", r"{\1}", simplify_regex(str(pattern.pattern))).strip("/")
    for method, action in pattern.callback.actions.items():
        if method != "head":
            view = pattern.callback.cls
            yield method.upper(), mount + path, who(view, action), scope(view, action, method)


def who(view: type[ProPipeLinesViewSet], action: str) -> str:
    if view.is_public:
        return PUBLIC[action]
    if {action, "*"} & view.key_only:
        return "key"
    return "key, admin" if {action, "*"} & view.admin_only else "key, person"


def scope(view: type[ProPipeLinesViewSet], action: str, method: str) -> str:
    """The subject of the scope that a key needs."""
    asked = view(action=action, request=SimpleNamespace(method=method.upper()))
    return "" if view.is_public else "".join(asked.needed_scopes()).partition(":")[0]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def requests() -> set[tuple[str, str]]:
    """(method, path) of every example, with a number for what a variable names."""
    scripts = [block.replace("\\\n", " ").replace("\n   ", " ") for block in blocks("sh")]
    commands = [line for script in scripts for line in script.splitlines() if line.startswith("curl ")]
    return {(method_of(command), path_of(command)) for command in commands}


def method_of(command: str) -> str:
    if named := re.search(r"-X (\w+)", command):
        return named[1].lower()
    return "post" if re.search(r"\s(-d|-F)\s", command) else "get"


def path_of(command: str) -> str:
    [path] = re.findall(r"\$PP(/[^\s\"'?]*)", command)
    return "/api/v2" + re.sub(r"\$[A-Z_]+", "1", path)


def test_every_route_stands_in_the_tables_and_nothing_else_does():
    assert sorted(rows()) == sorted(routes())


def test_no_route_is_told_of_twice():
    assert len(rows()) == len(set(rows())) > 67


def test_every_kind_of_error_is_told_with_its_status():
    told = {(int(status), kind) for status, kind in FAULT.findall(TEXT)}
    known = {(status, kind) for _, status, _, kind in errors.ANSWERS}
    known |= {(400, kind) for _, kind in errors.RULES.values()}

    assert known - told == set()


def test_every_event_is_told_and_nothing_else_is():
    told = set(re.findall(r"`((?:lead|prospect|task|account)\.[a-z_.]+(?:PIPELINE\.STEP)?)`", TEXT))

    assert told == {*BASIC, *ADVANCED, f"{TO_STEP}PIPELINE.STEP"}


def test_every_example_is_a_request_that_the_api_takes():
    unknown = [(method, path) for method, path in requests() if method not in resolve(path).func.actions]

    assert len(requests()) > 10
    assert unknown == []


@pytest.fixture
def is_genuine():
    names: dict = {}
    [code] = blocks("python")
    exec(code, names)
    return names["is_genuine"]


@pytest.fixture
def sent(account, user):
    """What is posted to a webhook, and the key that made it."""
    key, raw = create_key(account, name="Zapier", scopes=["*"], by=user)
    endpoint, _ = create_endpoint(
        account, by=key, dialect="propipelines", events=["lead.manual.trigger"], api_key=key, raw_key=raw,
        url="https://hooks.example.com/in",
    )  # fmt: skip
    delivery = trigger(LeadFactory(account=account), endpoint, by=user)
    _, body = dialect.sender(endpoint).request(delivery, timezone.now())
    return orjson.loads(body)["webhook_event"], raw


def test_the_lines_that_verify_accept_a_true_envelope(is_genuine, sent):
    envelope, raw = sent

    assert is_genuine(envelope, raw)


@pytest.mark.parametrize("fault", [{"id": 987654321}, {"signature": "é"}, {"signature": None}])
def test_the_lines_that_verify_refuse_a_false_one(is_genuine, sent, fault):
    envelope, raw = sent

    assert not is_genuine({**envelope, **fault}, raw)
    assert not is_genuine(envelope, raw.swapcase())
