"""Getting in: logging in, the links of mails, operators, and the pages for everybody."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from outreach.models import Suppression
from outreach.unsubscribing import token_for
from pipelime.accounts.links import reset_link
from pipelime.accounts.models import Notice, User
from pipelime.accounts.people import activation_link, invite_user
from pipelime.events.models import Event
from pipelime.scope import account_scope, every_account
from tests import factories

PASSWORD = "correct horse battery"


@pytest.fixture
def person(account):
    return factories.UserFactory(account=account, email="ada@example.com", password=make_password(PASSWORD))


@pytest.fixture
def operator(db):
    with every_account():
        return User.objects.create(
            email="root@example.com", is_superuser=True, password=make_password(PASSWORD)
        )


def log_in(client, password: str = PASSWORD, email: str = "ada@example.com"):
    return client.post("/admin/login/?next=/admin/", {"username": email, "password": password})


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def test_the_address_and_the_password_let_in_whatever_the_case(client, person):
    answer = log_in(client, email="Ada@Example.com")

    assert (answer.status_code, answer.url) == (302, "/admin/")


def test_a_wrong_password_is_told_without_saying_which_part_is_wrong(client, person):
    wrong, unknown = log_in(client, "wrong"), log_in(client, "wrong", "nobody@example.com")

    words = "This e-mail address and password do not belong together."
    assert [answer.context["form"].non_field_errors() for answer in (wrong, unknown)] == [[words], [words]]


def test_after_too_many_attempts_even_the_right_password_waits(client, person, settings):
    settings.LOGIN_ATTEMPTS = 2
    log_in(client, "wrong")
    log_in(client, "wrong")

    answer = log_in(client)

    assert "Too many attempts" in answer.context["form"].non_field_errors()[0]


def test_a_disabled_user_does_not_get_in(client, person):
    from django.utils import timezone

    User.objects.filter(pk=person.pk).update(disabled_at=timezone.now())

    assert log_in(client).status_code == 200


def test_attempts_are_counted_by_the_address_that_a_trusted_proxy_saw(rf, settings):
    from pipelime.backoffice.entering import client_address

    request = rf.get("/", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}, REMOTE_ADDR="10.0.0.2")

    assert client_address(request) == "10.0.0.2"
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert client_address(request) == "203.0.113.9"


def test_the_same_answer_whether_an_address_is_known_or_not(client, person):
    known = client.post("/forgotten/", {"email": "ada@example.com"})
    unknown = client.post("/forgotten/", {"email": "bob@example.com"})

    assert known.content.replace(b"ada", b"bob") == unknown.content
    with every_account():
        assert [notice.to for notice in Notice.objects.all()] == ["ada@example.com"]


def test_a_reset_link_sets_a_new_password_once(client, person):
    link = path_of(reset_link(person))
    looked_at = client.get(link)
    changed = client.post(link, {"password": "a new long password", "again": "a new long password"})
    again = Client().post(link, {"password": "another long password", "again": "another long password"})

    person.refresh_from_db()
    assert looked_at.status_code == 200
    assert (changed.status_code, changed.url) == (302, "/admin/")
    assert person.check_password("a new long password")
    assert "has been used" in again.content.decode()


def test_two_different_passwords_are_refused(client, person):
    answer = client.post(path_of(reset_link(person)), {"password": "a new long password", "again": "another"})

    person.refresh_from_db()
    assert "again" in answer.context["form"].errors
    assert person.check_password(PASSWORD)


def test_an_invitation_is_answered_with_a_password(client, account, user):
    invited = invite_user(account, email="zoe@example.com", by=user)

    answer = client.post(
        path_of(activation_link(invited)), {"password": PASSWORD, "again": PASSWORD}, follow=True
    )

    invited.refresh_from_db()
    assert invited.activated_at is not None
    assert answer.wsgi_request.user == invited


def test_pages_outside_run_no_script_and_tell_nobody_their_address(client, person):
    answer = client.get(path_of(reset_link(person)))

    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "script-src" not in answer["Content-Security-Policy"]
    assert answer["Referrer-Policy"] == "no-referrer"


def test_an_operator_chooses_an_account_and_that_is_told(client, operator, account):
    log_in(client, email="root@example.com")

    before = client.get("/admin/crm/contact/")
    client.post("/admin/choose-account/", {"account": account.pk})
    after = client.get("/admin/crm/contact/")

    assert (before.status_code, before.url) == (302, "/admin/choose-account/")
    assert after.status_code == 200
    assert Event.objects.get().name == "account.opened_by_operator"
    assert Event.objects.get().actor_name == "root@example.com"


def test_an_operator_sees_only_the_account_that_is_open(client, operator, account, stranger):
    factories.ContactFactory(account=account, last_name="Mine")
    factories.ContactFactory(account=stranger.account, last_name="Theirs")
    log_in(client, email="root@example.com")
    client.post("/admin/choose-account/", {"account": account.pk})

    answer = client.get("/admin/crm/contact/")

    assert b"Mine" in answer.content
    assert b"Theirs" not in answer.content


def test_nobody_else_chooses_an_account(browser, stranger):
    answer = browser.post("/admin/choose-account/", {"account": stranger.account.pk})

    assert answer.status_code == 403


def test_a_chosen_account_in_the_session_of_somebody_else_means_nothing(browser, account, stranger):
    session = browser.session
    session["operator_account"] = stranger.account.pk
    session.save()

    answer = browser.get("/admin/")

    assert answer.wsgi_request.account == account


def test_looking_at_an_unsubscribe_address_changes_nothing(client, account):
    message = factories.MessageFactory(account=account)

    answer = client.get(f"/u/{token_for(message.uid)}")

    assert answer.status_code == 200
    assert b"<button>Unsubscribe</button>" in answer.content
    assert not Suppression.objects.exists()


def test_one_click_unsubscribes_without_cookie_or_token(account):
    message = factories.MessageFactory(account=account)
    client = Client(enforce_csrf_checks=True)

    answer = client.post(f"/u/{token_for(message.uid)}", {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert Suppression.objects.get().cause == "unsubscribed"


def test_an_unsubscribe_address_that_was_not_made_here_is_not_there(client, db):
    assert client.get("/u/AAAAAAAA").status_code == 404
    assert client.post("/u/AAAAAAAA").status_code == 404


@pytest.mark.parametrize("kind", ["leads", "clients", "users"])
def test_short_links_lead_to_the_record_after_a_login(client, browser, kind):
    target = {"leads": "crm/lead", "clients": "crm/company", "users": "accounts/user"}[kind]

    known, unknown = browser.get(f"/{kind}/7"), Client().get(f"/{kind}/7")

    assert known.url == f"/admin/{target}/7/change/"
    assert unknown.url == f"/admin/login/?next=/{kind}/7"


def test_robots_are_sent_away_and_there_is_an_icon(client):
    assert client.get("/robots.txt").content == b"User-agent: *\nDisallow: /\n"
    assert client.get("/favicon.ico").url == "/static/pipelime/icon.svg"


def test_the_mail_sink_is_there_in_the_demo_only(browser, settings):
    settings.SINK_PORT = 0

    assert browser.get("/admin/mail-sink/").status_code == 404


def test_mail_in_the_sink_is_read_but_runs_nothing(browser, seller, settings, tmp_path):
    from types import SimpleNamespace

    from pipelime.mailsink import Mailsink

    settings.SINK_PORT, settings.PIPELIME_MAIL_URL, settings.DATA = 2525, "", tmp_path
    head = b"From: a@b.c\r\nTo: z@b.c\r\nSubject: Hello\r\nContent-Type: text/html\r\n\r\n"
    raw = head + b"<script>1</script><p>Hi</p>"
    envelope = SimpleNamespace(rcpt_tos=["z@b.c"], mail_from="a@b.c", original_content=raw)
    name = Mailsink(tmp_path / "mailsink").keep(envelope)
    other = Client()
    other.force_login(seller)

    listed, opened = browser.get("/admin/mail-sink/"), browser.get(f"/admin/mail-sink/{name}/")
    html = browser.get(f"/admin/mail-sink/{name}/html/")

    assert b"Hello" in listed.content
    assert b'sandbox title="The HTML part' in opened.content
    assert "sandbox" in html["Content-Security-Policy"]
    assert "default-src 'none'" in html["Content-Security-Policy"]
    assert other.get("/admin/mail-sink/").status_code == 403
    assert browser.get("/admin/mail-sink/0000000000000000-00000000/").status_code == 404


def test_what_an_account_s_scope_holds_ends_with_the_request(browser, account):
    from pipelime.scope import current_account_id

    with account_scope(4711):
        browser.get("/admin/")

        assert current_account_id() == 4711


def test_a_page_that_is_not_there_says_so_in_words(browser):
    answer = browser.get("/admin/crm/importjob/4711/change/")

    assert answer.status_code == 404
    assert b"There is nothing here" in answer.content
