"""A first hour in the browser: bring in people, connect a mailbox, start a campaign, read the mail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.installation import PASSWORD, Installation

CHROMIUM = Path("/usr/bin/chromium")
PEOPLE = (
    "E-Mail;Vorname;Firma\nada@example.com;Ada;Fjell AS\nzoe@example.com;Zoë;Söhne GmbH\nnobody;Bob;Nix\n"
)
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.embedded,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}"),
]


@pytest.fixture(scope="module")
def installation(tmp_path_factory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("workspace")) as running:
        running.create_account()
        yield running


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said, and every address outside of this machine that it asked for."""
    return []


@pytest.fixture
def page(installation, complaints):
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(30_000)
        page.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: dialog.accept())
        page.on(
            "request",
            lambda asked: (
                asked.url.startswith((installation.url, "data:", "blob:", "about:"))
                or complaints.append(asked.url)
            ),
        )
        yield page
        browser.close()


def log_in(page, installation: Installation) -> None:
    page.goto(f"{installation.url}/admin/")
    page.fill("[name=username]", "ada@example.com")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{installation.url}/admin/")


def bring_in_people(page, installation: Installation, folder: Path) -> None:
    file = folder / "people.csv"
    file.write_bytes(PEOPLE.encode("cp1252"))
    page.goto(f"{installation.url}/admin/crm/importjob/add/")
    page.set_input_files("[name=file]", str(file))
    page.click("text=Look at the file")
    page.wait_for_selector("text=These lines would be rejected")
    page.click("main button:has-text('Import'), #content button.primary:has-text('Import')")
    page.wait_for_selector("text=The import is done")


def connect_the_sink(page, installation: Installation) -> None:
    """bin/up runs a mail sink on this machine: mail ends there."""
    page.goto(f"{installation.url}/admin/outreach/emailaccount/add/")
    page.fill("[name=email]", "sam@example.com")
    page.fill("[name=smtp_host]", "127.0.0.1")
    page.fill("[name=smtp_port]", (installation.folder / "mailsink.port").read_text().strip())
    page.select_option("[name=smtp_security]", "none")
    page.click("button[name=_save]")
    page.wait_for_url("**/outreach/emailaccount/")


def start_a_campaign(page, installation: Installation) -> None:
    page.goto(f"{installation.url}/admin/outreach/campaign/add/")
    page.fill("[name=name]", "Spring")
    page.fill("[name=postal_address]", "1 Elm Street, 12345 Testville")
    for day in page.query_selector_all("[name^=windows-][name$=days]:checked"):
        day.uncheck()
    page.fill("[name=steps-0-variants-0-subject]", "Hello {{ first_name }}")
    page.fill("[name=steps-0-variants-0-body]", "Dear {{ first_name }}, how is {{ company }}?")
    page.click("text=Make the campaign")
    page.select_option("[name=source]", "all")
    page.click("text=Add them")
    page.wait_for_selector("text=Contacts added: 2.")
    page.click("button:has-text('Start')")
    page.wait_for_selector("text=Spring is running.")


def test_a_person_goes_from_a_file_to_mails_in_the_browser_alone(page, installation, complaints, tmp_path):
    log_in(page, installation)
    bring_in_people(page, installation, tmp_path)
    connect_the_sink(page, installation)
    start_a_campaign(page, installation)

    page.goto(f"{installation.url}/admin/mail-sink/")
    for _ in range(60):
        if page.locator("tbody tr, table tr:has(a)").count() >= 2:
            break
        page.wait_for_timeout(500)
        page.reload()
    mails = sorted(page.locator("table a").all_inner_texts())
    page.click("text=Hello Zoë")
    text = page.locator(".pl-mail-text").inner_text()

    assert mails == ["Hello Ada", "Hello Zoë"]
    assert "Dear Zoë, how is Söhne GmbH?" in text
    assert complaints == []


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_screen(page, installation, complaints, width):
    page.set_viewport_size({"width": width, "height": 844})
    log_in(page, installation)

    for path in (
        "",
        "crm/contact/",
        "crm/lead/add/",
        "crm/importjob/add/",
        "outreach/campaign/add/",
        "events/event/",
    ):
        page.goto(f"{installation.url}/admin/{path}")

        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert complaints == []
