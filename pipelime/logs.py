"""Structured logs: one JSON line an event on standard error, each with the id of its request or task."""

from __future__ import annotations

import logging
import logging.config
import re
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

from pipelime.ids import uuid7

# Things that must never be read in a log, whoever wrote the line.
SECRETS = re.compile(
    r"(ki_[A-Za-z0-9]{4})[A-Za-z0-9_-]{8,}"
    r"|(whsec_)[A-Za-z0-9+/=]{8,}"
    r"|(://[^\s/:@]*:)[^\s/@]+(?=@)"  # the password in a URL
    r"|(Authorization\W+(?:Bearer|Basic)\s+)(?!ki_)[A-Za-z0-9._~+/=-]{8,}"
    r"|([?&]api_key=)[^\s&'\"]+"  # a key in an address, whoever made it
)
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def configure(level: str, *, pretty: bool) -> None:
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [structlog.stdlib.ExtraAdder(), *shared],
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "django.request": {"level": "ERROR"},
                "kombu": {"level": "WARNING"},
                "kombu.connection": {"level": "ERROR"},  # it misses a host name in the file broker's URL
                "celery": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def redact(logger, method: str, event: dict) -> dict:
    """Blank keys, signing secrets and passwords in URLs wherever they appear."""
    # structlog's own entries begin with an underscore and are taken out before anything is written.
    return {key: value if key.startswith("_") else blanked(value) for key, value in event.items()}


def blanked(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return SECRETS.sub(lambda match: f"{next(filter(None, match.groups()))}[hidden]", value)
    if isinstance(value, dict):
        return {key: blanked(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [blanked(part) for part in value]
    text = repr(value)
    return blanked(text) if SECRETS.search(text) else value


class RequestIdMiddleware:
    """Gives each request an id, takes one from a trusted shape, and says it back in X-Request-Id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request.id = given if REQUEST_ID.fullmatch(given) else uuid7().hex
        with structlog.contextvars.bound_contextvars(request_id=request.id):
            response = self.get_response(request)
        response["X-Request-Id"] = request.id
        return response
