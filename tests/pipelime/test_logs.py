"""Logs are one JSON line an event, carry the id of their request, and hold no secret."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from django.http import HttpResponse
from django.test import RequestFactory

from pipelime import logs
from pipelime.celery import app

KEY = "ki_0a1b2c3dQm9yZWQgcGVvcGxlIHJlYWQga2V5cyBpbiB0ZXN0cw"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def written(capsys):
    """Runs a function and returns what it logged, line by line, as written to standard error."""
    root, saved = logging.getLogger(), (logging.getLogger().handlers[:], logging.getLogger().level)
    config = structlog.get_config()

    def run(action) -> list[dict]:
        logs.configure("INFO", pretty=False)
        action(structlog.get_logger("test"), logging.getLogger("test"))
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    yield run
    root.handlers[:], root.level = saved
    structlog.configure(**config)


def test_an_event_is_one_line_of_json(written):
    [line] = written(lambda log, _: log.warning("mail.lost", mailbox=7, reason="two\nlines"))

    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "mail.lost",
        "level": "warning",
        "logger": "test",
        "mailbox": 7,
        "reason": "two\nlines",
    }


def test_libraries_are_logged_in_the_same_form(written):
    [line] = written(
        lambda _, library: library.error("gave up after %d tries", 3, extra={"host": "a.example"})
    )

    assert (line["event"], line["host"], line["level"]) == ("gave up after 3 tries", "a.example", "error")


class Holder:
    def __repr__(self) -> str:
        return f"<Holder {KEY}>"


@pytest.mark.parametrize("secret", [KEY, SECRET, "redis://:hunter2@cache", "smtp://me:hunter2@mail.example"])
@pytest.mark.parametrize(
    "write",
    [
        lambda log, library, secret: log.info(f"got {secret}"),  # noqa: G004
        lambda log, library, secret: log.info("got", value=secret),
        lambda log, library, secret: log.info("got", value={"headers": [f"x {secret}"]}),
        lambda log, library, secret: log.info("got", value=ValueError(secret)),
        lambda log, library, secret: library.info("got %s", secret),
        lambda log, library, secret: library.info("got", extra={"value": (secret,)}),
        lambda log, library, secret: fail(log, secret),
        lambda log, library, secret: fail(library, secret),
    ],
    ids=[
        "event",
        "value",
        "nested",
        "exception value",
        "argument",
        "extra",
        "traceback",
        "library traceback",
    ],
)
def test_no_secret_reaches_a_log(secret, write, written):
    [line] = written(lambda log, library: write(log, library, secret))

    text = json.dumps(line)
    assert "[hidden]" in text
    assert secret not in text
    assert "hunter2" not in text


def fail(log, secret: str) -> None:
    try:
        raise RuntimeError(f"cannot use {secret}")
    except RuntimeError:
        log.exception("failed")


@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_an_authorization_header_is_hidden(scheme, written):
    [line] = written(lambda log, _: log.info("got", header=f"Authorization: {scheme} c2VjcmV0LXRva2Vu"))

    assert line["header"] == f"Authorization: {scheme} [hidden]"


def test_the_beginning_of_a_key_stays_so_that_it_can_be_found(written):
    [line] = written(lambda log, _: log.info("got", key=KEY, holder=Holder()))

    assert (line["key"], line["holder"]) == ("ki_0a1b[hidden]", "<Holder ki_0a1b[hidden]>")


@pytest.mark.parametrize(
    "text", ["https://a.example:8000/x@y", "Basic information", "ki_ and whsec_", "a:b@c.example"]
)
def test_what_is_no_secret_is_left_alone(text, written):
    [line] = written(lambda log, _: log.info("got", text=text, number=1.5, flag=True, nothing=None))

    assert (line["text"], line["number"], line["flag"], line["nothing"]) == (text, 1.5, True, None)


def answer(given: str | None = None):
    seen: list[dict] = []

    def view(request):
        seen.append({"bound": structlog.contextvars.get_contextvars().get("request_id"), "id": request.id})
        return HttpResponse("ok")

    headers = {} if given is None else {"HTTP_X_REQUEST_ID": given}
    response = logs.RequestIdMiddleware(view)(RequestFactory().get("/", **headers))
    return response["X-Request-Id"], seen[0]


def test_a_request_s_id_is_said_back_and_bound_to_its_logs():
    said, seen = answer("trace-1.2_3")

    assert said == "trace-1.2_3"
    assert seen == {"bound": said, "id": said}
    assert "request_id" not in structlog.contextvars.get_contextvars()


@pytest.mark.parametrize("given", [None, "", "two words", "x" * 65, "a\nb", '"quoted"', "é"])
def test_a_request_without_a_usable_id_gets_one(given):
    said, seen = answer(given)

    assert len(said) == 32
    assert int(said, 16)
    assert seen["id"] == said


def test_what_a_task_logs_names_the_task(written):
    @app.task(name="tests.say")
    def say():
        structlog.get_logger("test").info("said")

    [line] = written(lambda log, library: say.apply(task_id="run-1"))

    assert (line["event"], line["task"], line["task_id"]) == ("said", "tests.say", "run-1")
    assert "task_id" not in structlog.contextvars.get_contextvars()
