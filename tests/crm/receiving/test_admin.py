"""Received mail in the workspace."""

from __future__ import annotations

import pytest

from crm import tasks
from crm.models import Lead, ReceivedMail
from crm.receiving.accepting import receive
from tests.crm.receiving.mails import NASTY, mail
from tests.factories import ReceivedMailFactory

LIST = "/admin/crm/receivedmail/"


def test_the_list_tells_the_address_and_what_became_of_each_mail(browser, address):
    receive(mail(address, subject="<b>Bold</b>"), source="pipe")
    tasks.work_mail()

    page = browser.get(LIST).content.decode()

    assert f"Mail to {address} becomes leads" in page
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page
    assert "lea@example.org" in page


@pytest.mark.parametrize(
    "name", ["script in a page", "a subject from right to left", "no boundary", "bytes of no charset"]
)
def test_a_nasty_mail_is_shown_as_text(browser, address, name):
    row = receive(NASTY[name], source="pipe", recipients=[address])

    answer = browser.get(f"{LIST}{row.pk}/change/")

    assert answer.status_code == 200
    assert "alert(1)" not in answer.content.decode()


def test_markup_in_a_text_stays_text(browser, address):
    row = receive(mail(address, text="<img src=x onerror=alert(1)>"), source="pipe")

    page = browser.get(f"{LIST}{row.pk}/change/").content.decode()

    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_a_mail_is_downloaded_as_it_came(browser, address):
    content = mail(address)
    row = receive(content, source="pipe")

    answer = browser.get(f"{LIST}{row.pk}/raw/")

    assert b"".join(answer.streaming_content) == content
    assert answer["Content-Type"] == "message/rfc822"
    assert answer["Content-Disposition"] == f'attachment; filename="mail-{row.pk}.eml"'


def test_a_mail_that_is_no_more_is_said_to_be_so(browser, account):
    row = ReceivedMailFactory(account=account)

    assert "not there any more" in browser.get(f"{LIST}{row.pk}/change/").content.decode()
    assert browser.get(f"{LIST}{row.pk}/raw/").status_code == 404


def test_a_refused_mail_is_tried_again_by_a_button(browser, account):
    row = ReceivedMailFactory(account=account, state="failed", outcome="refused")

    browser.post(f"{LIST}{row.pk}/press/again/")

    row.refresh_from_db()
    assert (row.state, row.outcome) == ("queued", "waiting")


def test_an_ignored_mail_becomes_a_lead_by_a_button(browser, address):
    row = receive(b"Precedence: bulk\r\n" + mail(address), source="pipe")
    tasks.work_mail()

    browser.post(f"{LIST}{row.pk}/press/lead/")

    row.refresh_from_db()
    assert row.lead == Lead.objects.get()


def test_somebody_without_the_lead_does_not_see_its_mail(client, account, seller, address):
    row = receive(mail(address), source="pipe")
    client.force_login(seller)

    assert (
        client.get(f"{LIST}{row.pk}/change/").status_code == 302
    )  # back to the overview, as for a missing one
    assert ReceivedMail.objects.count() == 1


def test_another_account_s_mail_is_missing(client, stranger, address):
    row = receive(mail(address), source="pipe")
    client.force_login(stranger)

    assert client.get(f"{LIST}{row.pk}/change/").status_code == 302
    assert client.get(f"{LIST}{row.pk}/raw/").status_code == 404
