"""A stranger's walk in the browser: a mailbox, a campaign, its plan, an answer, and the lead made of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests import imap_server
from tests.end_to_end.installation import PASSWORD, Installation, wait_until
from tests.sinks import SmtpSink

CHROMIUM = Path("/usr/bin/chromium")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.embedded,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}"),
]


class World:
    """An installation, and the mail servers of the person who uses it."""

    def __init__(self, folder: Path, stack: ExitStack):
        self.sink = stack.enter_context(SmtpSink(logins={"sam@example.com": "secret"}))
        self.imap = stack.enter_context(imap_server.serving())
        self.imap.login = "sam@example.com"
        self.installation = Installation(folder)
        self.installation.environment["PIPELIME_POLL_SECONDS"] = "1"
        stack.enter_context(self.installation)
        self.installation.create_account()

    def mail(self, number: int) -> EmailMessage:
        """The so manieth mail that the server took, waited for."""
        wait_until(lambda: self.sink.count >= number, seconds=30)
        return message_from_bytes(self.sink.arrivals[number - 1].data, policy=policy.default)


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


@pytest.fixture
def page(world):
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(base_url=world.installation.url, viewport={"width": 1280, "height": 900})
        page.set_default_timeout(30_000)
        page.on("dialog", lambda dialog: dialog.accept())
        yield page
        browser.close()


def log_in(page) -> None:
    page.goto("/admin/")
    page.fill("[name=username]", "ada@example.com")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")


def connect_a_mailbox(page, world: World) -> None:
    page.click("nav >> text=Mailboxes")
    page.click("a[href$='/emailaccount/add/']")
    page.fill("[name=email]", "sam@example.com")
    for kind, port in (("smtp", world.sink.port), ("imap", world.imap.port)):
        page.fill(f"[name={kind}_host]", "127.0.0.1")
        page.fill(f"[name={kind}_port]", str(port))
        page.select_option(f"[name={kind}_security]", "none")
        page.fill(f"[name={kind}_username]", "sam@example.com")
    page.fill("[name=smtp_password]", "wrong")
    page.fill("[name=imap_password]", "secret")
    page.click("button[name=_continue]")
    page.click("text=Test the servers")
    page.wait_for_selector("text=535 5.7.8 wrong user name or password")
    page.fill("[name=smtp_password]", "secret")
    page.click("button[name=_continue]")
    page.click("text=Test the servers")
    page.wait_for_selector("text=SMTP: 235 2.7.0 welcome")
    page.wait_for_selector("text=IMAP: ")


def add_a_contact(page) -> None:
    page.click("nav >> text=Contacts")
    page.click("a[href$='/contact/add/']")
    page.fill("[name=first_name]", "Zoë")
    page.fill("[name=emails-0-address]", "zoe@soehne.example")
    page.click("button[name=_save]")


def fill_step(page, number: int, *, channel: str, subject: str, body: str, days: int = 0) -> None:
    if number:
        page.click("text=Add a step")
    page.select_option(f"[name=steps-{number}-channel]", channel)
    if days:
        page.fill(f"[name=steps-{number}-business_days]", str(days))
    page.fill(f"[name^=steps-{number}-][name$=subject]", subject)
    page.fill(f"[name^=steps-{number}-][name$=body]", body)


def make_a_campaign(page) -> None:
    page.click("nav >> text=Campaigns")
    page.click("a[href$='/campaign/add/']")
    page.fill("[name=name]", "Spring")
    page.fill("[name=postal_address]", "1 Elm Street, 12345 Testville")
    for day in page.query_selector_all("[name^=windows-][name$=days]:checked"):
        day.uncheck()
    fill_step(page, 0, channel="email", subject="Hello {{ first_name }}", body="Shall we talk?")
    fill_step(page, 1, channel="call", subject="Call {{ first_name }}", body="Ask how they plan.", days=1)
    fill_step(page, 2, channel="email", subject="", body="One thing I forgot.", days=2)
    page.click("text=Make the campaign")
    page.select_option("[name=source]", "all")
    page.click("text=Add them")
    page.wait_for_selector("text=Contacts added: 1.")


def look_at_the_plan(page) -> list[str]:
    """The steps' channels, one after the other."""
    page.click("a:has-text('Plan')")
    rows = page.locator("main table tbody tr, #content table tbody tr")
    rows.first.wait_for()
    return rows.all_inner_texts()


def start(page) -> None:
    page.go_back()
    page.click("button:has-text('Start')")
    page.wait_for_selector("text=Spring is running.")


def answer_as_zoe(world: World, mail: EmailMessage) -> None:
    reply = EmailMessage()
    reply["From"], reply["To"] = "Zoë <zoe@soehne.example>", "sam@example.com"
    reply["Subject"], reply["Message-ID"] = "Re: Hello Zoë", "<answer@soehne.example>"
    reply["In-Reply-To"] = reply["References"] = mail["Message-ID"]
    reply.set_content("Yes, I am interested. Please send me the details.")
    wait_until(lambda: "LOGOUT" in world.imap.commands, seconds=30)  # the first look, before any mail
    world.imap.put(reply.as_bytes(policy=policy.SMTP))


def read_the_answer(page) -> None:
    """Open it in the inbox, as soon as it is there."""
    for _ in range(60):
        page.goto("/admin/outreach/conversation/")
        if page.locator("text=Yes, I am interested").count():
            break
        page.wait_for_timeout(500)
    page.click("text=Yes, I am interested")
    page.wait_for_selector("#answer-text")


def test_a_mail_goes_out_is_answered_in_the_thread_and_becomes_a_lead(page, world):
    log_in(page)
    connect_a_mailbox(page, world)
    add_a_contact(page)
    make_a_campaign(page)
    plan = look_at_the_plan(page)
    start(page)
    first = world.mail(1)
    answer_as_zoe(world, first)
    read_the_answer(page)
    page.fill("#answer-text", "Gladly: here they are.")
    page.click("button:has-text('Send')")
    second = world.mail(2)
    page.click("button:has-text('Make a lead')")
    page.click(".pl-thread-head a[href*='/crm/lead/']")
    page.wait_for_url("**/crm/lead/*/change/")
    title = page.input_value("[name=title]")
    page.goto("/admin/outreach/enrolment/")
    place = page.locator("#result_list tbody").inner_text()

    assert [row.count("sam@example.com") for row in plan] == [1, 0, 1]
    assert first["Subject"] == "Hello Zoë"
    assert first["List-Unsubscribe"].startswith(f"<{world.installation.url}/")
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert second["To"] == "Zoë <zoe@soehne.example>"
    assert second["In-Reply-To"] == "<answer@soehne.example>"
    assert second["References"].split() == [first["Message-ID"], "<answer@soehne.example>"]
    assert second["List-Unsubscribe"] is None
    assert "Gladly: here they are." in second.get_body(("plain",)).get_content()
    assert title == "Zoë: Re: Hello Zoë"
    assert "stopped" in place.lower()
