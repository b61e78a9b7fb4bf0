"""Rules of the code base that a machine can keep."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from pipelime.celery import BELLS
from pipelime.celery import app as celery_app
from pipelime.events.recording import subscribers
from pipelime.scope import AccountQuerySet

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("pipelime", "crm", "outreach", "webhooks")
LONGEST_MODULE, LONGEST_FUNCTION = 400, 40


def modules(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if "migrations" not in path.parts]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_a_module_can_be_read_in_one_sitting():
    long = {name_of(path): len(path.read_text().splitlines()) for path in modules(*PACKAGES)}

    assert {name: lines for name, lines in long.items() if lines > LONGEST_MODULE} == {}


def test_a_function_fits_on_a_screen():
    long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in modules(*PACKAGES)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef)
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
        and len(node.body) > 1  # one statement is a table, such as a row's snapshot
    ]

    assert long == []


def test_every_module_says_what_it_is_for():
    silent = [
        name_of(path)
        for path in modules(*PACKAGES)
        if parsed(path).body
        and not ast.get_docstring(parsed(path))
        and path.name != "apps.py"
        and "models" not in path.parts  # there the classes say it
    ]

    assert silent == []


def test_a_module_is_named_after_its_subject():
    vague = {"utils", "helpers", "common", "services", "misc", "manager", "handlers"}

    assert [name_of(path) for path in modules(*PACKAGES, "tests", "bench") if path.stem in vague] == []


def test_what_happens_is_called_and_not_signalled():
    signals = ("django.db.models.signals", "django.dispatch")

    assert [name_of(path) for path in modules(*PACKAGES) if set(signals) & set(imports(path))] == []


def test_nothing_leaves_the_machine_but_through_outbound():
    ways_out = {"requests", "httpx", "urllib.request", "urllib3", "http.client", "aiohttp"}
    dialling = re.compile(r"\bsocket\.(socket|create_connection)\(|\bsmtplib\.SMTP(_SSL)?\(")
    # The supervisor asks this machine's own pages, and looks for free ports on it.
    exempt = ("pipelime/outbound/", "pipelime/running/")

    leaks = [
        name_of(path)
        for path in modules(*PACKAGES)
        if not name_of(path).startswith(exempt)
        and (ways_out & set(imports(path)) or dialling.search(path.read_text()))
    ]

    assert leaks == []


def test_every_row_of_an_account_is_read_through_the_scope():
    owned = [
        model
        for model in apps.get_models()
        if any(field.name == "account" for field in model._meta.concrete_fields) and not model._meta.proxy
    ]

    unscoped = [
        model._meta.label
        for model in owned
        if not isinstance(model._default_manager.get_queryset(), AccountQuerySet)
    ]

    # Reached only by ids that were found inside the scope, and by raw SQL that names the account.
    assert unscoped == ["search.Document"]


def test_unscoped_documents_are_used_by_the_search_alone():
    users = [
        name_of(path)
        for path in modules(*PACKAGES)
        if "pipelime.search.models.Document" in set(imports(path))
    ]

    assert users == ["pipelime/search/documents.py"]


@pytest.mark.django_db
def test_every_change_of_a_model_has_its_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_imports_keep_to_the_contracts():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_bell_wakes_a_task_that_exists():
    celery_app.loader.import_default_modules()

    assert [task for task in BELLS if task not in celery_app.tasks] == []


def test_every_bell_that_the_code_rings_is_also_rung_by_the_sweep():
    rung = {
        match
        for path in modules(*PACKAGES)
        for match in re.findall(r"ring(?:_now)?\(\"([a-z_.]+)\"", path.read_text())
    }

    assert rung
    assert rung - set(BELLS) == set()


def test_every_named_subscriber_can_be_called():
    assert all(callable(subscriber) for subscriber in subscribers())


def tracked_files() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_the_project_stands_by_itself():
    foreign = re.compile(r"/wor[k]/|\.\./share[d]|sub[a]gent")  # brackets, so as not to find itself

    mentions = []
    for path in tracked_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if foreign.search(text):
            mentions.append(name_of(path))

    assert mentions == []


def test_nothing_is_left_to_be_done_later():
    later = re.compile(r"#.*\b(TODO|FIXME|XXX)\b|raise NotImplementedError")

    assert [name_of(path) for path in modules(*PACKAGES) if later.search(path.read_text())] == []


@pytest.mark.parametrize(
    "document", sorted((ROOT / "docs").rglob("*.md")) + sorted(ROOT.glob("*.md")), ids=name_of
)
def test_a_document_s_links_lead_somewhere(document):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())

    broken = [link for link in links if "://" not in link and not (document.parent / link).exists()]

    assert broken == []


def test_the_operators_page_names_every_variable():
    page = (ROOT / "docs" / "operators.md").read_text()
    sources = [ROOT / "pipelime" / "settings.py", *modules("pipelime/running")]
    named = re.findall(
        r"(?:env\.\w+\(|environ\.get\(|port_number\()\s*\"([A-Z_]+)\"",
        "\n".join(path.read_text() for path in sources),
    )

    assert {"DATABASE_URL", "PIPELIME_MAIL_URL", "PORT"} <= set(named)
    assert [name for name in sorted(set(named)) if f"`{name}`" not in page] == []
