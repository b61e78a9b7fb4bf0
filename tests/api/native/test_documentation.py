"""The OpenAPI document and the page that shows it."""

import json
import re

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command

from pipelime.api.native.documentation import document
from pipelime.api.native.resources import NativeViewSet
from tests.api.routes import all_routes

COMMITTED = settings.BASE / "docs" / "api" / "openapi.json"


def test_the_committed_document_is_what_the_views_say():
    assert COMMITTED.read_bytes() == document(), (
        "run bin/manage write_openapi and commit docs/api/openapi.json"
    )


def test_every_native_route_is_in_it_with_its_errors():
    paths = json.loads(document())["paths"]
    native = [route for route in all_routes() if issubclass(route.view, NativeViewSet)]

    missing = [str(route) for route in native if route.method.lower() not in paths.get(route.path, {})]
    operations = [operation for methods in paths.values() for operation in methods.values()]

    assert missing == []
    assert sum(map(len, paths.values())) == len(native)
    assert all({"401", "403", "422", "429"} <= set(operation["responses"]) for operation in operations)


def test_it_is_served_to_anybody(client, db):
    answer = client.get("/api/openapi.json")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["openapi"] == "3.1.0"
    assert answer.json()["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_generating_it_warns_of_nothing(capsys):
    document.__wrapped__()

    assert capsys.readouterr().err == ""


def test_the_page_loads_nothing_from_outside(client, db):
    page = client.get("/api/docs")

    text = page.content.decode()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert page.status_code == 200
    assert "/api/openapi.json" in text
    assert loaded
    assert all(link.startswith("/static/") for link in loaded)
    assert all(finders.find(link.removeprefix("/static/")) for link in loaded)


def test_the_command_writes_the_file(tmp_path, settings):
    settings.BASE = tmp_path

    call_command("write_openapi")

    assert (tmp_path / "docs" / "api" / "openapi.json").read_bytes() == document()
