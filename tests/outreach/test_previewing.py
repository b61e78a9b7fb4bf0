import pytest

from outreach.campaigns import create_campaign
from outreach.models import Message
from outreach.previewing import preview, send_test
from pipelime.errors import Invalid, NotFound
from tests.factories import CompanyFactory, ContactFactory, MailboxFactory
from tests.sinks import SmtpSink


@pytest.fixture
def sink(settings):
    with SmtpSink() as sink:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{sink.port}"]
        yield sink


@pytest.fixture
def campaign(account, user, sink):
    return create_campaign(
        account,
        by=user,
        name="Spring",
        steps=[
            {"subject": "For {{ company }}", "body": "Hi {{ first_name }}, {{ custom.note }} {{ note }}"},
            {"body": "And, {{ first_name }}?"},
        ],
        mailboxes=[MailboxFactory(account=account, smtp_port=sink.port, email="sam@example.com")],
    )


@pytest.fixture
def contact(account):
    return ContactFactory(
        account=account,
        first_name="Grace",
        email="grace@example.com",
        company=CompanyFactory(account=account, name="Navy"),
        custom_fields={"note": "ahoy"},
    )


def test_a_preview_shows_what_the_contact_would_get(campaign, contact):
    shown = preview(campaign, contact)

    assert (shown["subject"], shown["from"], shown["to"]) == (
        "For Navy",
        "sam@example.com",
        "grace@example.com",
    )
    assert shown["text"].startswith(
        "Hi Grace, ahoy ahoy\n\n--\n1 Test Street, 12345 Testville\nUnsubscribe: http"
    )
    assert shown["problems"] == []


def test_a_follow_up_previews_in_its_thread(campaign, contact):
    assert preview(campaign, contact, step=2)["subject"].startswith("Re: ")


def test_what_is_missing_is_told(campaign, account):
    shown = preview(campaign, ContactFactory(account=account, first_name="Ann", custom_fields={}))

    assert "company" in shown["problems"][0]


def test_a_step_that_does_not_exist_is_not_found(campaign, contact):
    with pytest.raises(NotFound, match="no step 9"):
        preview(campaign, contact, step=9)


def test_a_test_mail_goes_to_oneself_and_leaves_the_ledger_alone(campaign, contact, user, sink):
    words = send_test(campaign, step=1, contact=contact, to="me@example.com", by=user)

    assert words.startswith("250")
    assert sink.arrivals[0].recipients == ("me@example.com",)
    assert not Message.objects.exists()


def test_a_refused_test_mail_tells_the_servers_words(campaign, contact, user, sink):
    sink.answers["RCPT"] = "550 5.1.1 who?"

    with pytest.raises(Invalid, match="who\\?"):
        send_test(campaign, step=1, contact=contact, to="me@example.com", by=user)
