import pytest
from django.db import connection

from outreach import previewing
from outreach.blocking import block, suppress
from outreach.campaigns import create_campaign
from outreach.mailboxes import pause_mailbox
from outreach.models import CapCounter, Message, Suppression
from outreach.previewing import preview, send_test
from outreach.statistics import campaign_counts
from pipelime.errors import Invalid, NotFound
from tests.factories import CompanyFactory, ContactFactory, MailboxFactory
from tests.sinks import Drop, SmtpSink


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


def test_a_test_mail_goes_to_oneself_through_the_ledger(campaign, contact, user, sink):
    words = send_test(campaign, step=1, contact=contact, to="me@example.com", by=user)

    message = Message.objects.get()
    assert words.startswith("250")
    assert sink.arrivals[0].recipients == ("me@example.com",)
    assert b"Subject: For Navy\r\n" in sink.arrivals[0].data
    assert (message.state, message.to_address, message.template_name) == ("sent", "me@example.com", "test")
    assert message.message_id.encode() in sink.arrivals[0].data
    assert message.created_by == user


def test_a_test_mail_counts_neither_in_the_campaign_nor_in_a_daily_limit(campaign, contact, user, sink):
    send_test(campaign, step=1, contact=contact, to="me@example.com", by=user)

    assert campaign_counts([campaign])[campaign.pk]["messages_sent"] == 0
    assert not CapCounter.objects.exists()
    assert Message.objects.get().campaign_name == "Spring"


def test_a_follow_up_can_be_tested(campaign, contact, user, sink):
    send_test(campaign, step=2, contact=contact, to="me@example.com", by=user)

    assert b"Subject: Re: For" in sink.arrivals[0].data
    assert b"In-Reply-To" not in sink.arrivals[0].data


def test_nobody_who_left_gets_a_test_mail(account, campaign, contact, user, sink):
    suppress(account.pk, "gone@example.com", cause="unsubscribed", source="a test")
    block(account, by=user, value="blocked.example")

    for address in ("gone@example.com", "me@blocked.example"):
        with pytest.raises(Invalid, match="gets no mail of this account"):
            send_test(campaign, step=1, contact=contact, to=address, by=user)

    assert sink.arrivals == []
    assert not Message.objects.exists()


def test_an_address_that_cannot_be_written_to_stores_nothing(campaign, contact, user, sink):
    with pytest.raises(Invalid, match="could not be sent"):
        send_test(campaign, step=1, contact=contact, to="me@exa mple.com", by=user)

    assert not Message.objects.exists()


def test_a_server_that_drops_the_line_after_the_dot_leaves_a_visible_doubt(campaign, contact, user, sink):
    sink.answers["dot"] = [Drop("rst")]

    with pytest.raises(Invalid, match="Nobody knows"):
        send_test(campaign, step=1, contact=contact, to="me@example.com", by=user)

    assert Message.objects.get().state == "ambiguous"


def test_a_paused_mailbox_sends_no_test(campaign, contact, user, sink):
    pause_mailbox(campaign.mailboxes.get(), by=user, reason="a test")

    with pytest.raises(Invalid, match="resume one"):
        send_test(campaign, step=1, contact=contact, to="me@example.com", by=user)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_server_talks(campaign, contact, user, sink, monkeypatch):
    opened, states = previewing.open_smtp, []

    def looking(mailbox):
        states.append((connection.in_atomic_block, Message.objects.get().state))
        return opened(mailbox)

    monkeypatch.setattr(previewing, "open_smtp", looking)

    send_test(campaign, step=1, contact=contact, to="me@example.com", by=user)

    assert states == [(False, "claimed")]


def test_a_step_on_linkedin_is_previewed_as_text(account, user, contact):
    campaign = create_campaign(
        account,
        by=user,
        name="Summer",
        steps=[{"channel": "linkedin_message", "body": "Hi {{ first_name }}"}],
    )

    shown = preview(campaign, contact)

    assert (shown["text"], shown["html"], shown["from"], shown["problems"]) == ("Hi Grace", None, None, [])
    with pytest.raises(Invalid, match="no e-mail"):
        send_test(campaign, step=1, contact=contact, to="me@example.com", by=user)


def test_a_refused_test_mail_tells_the_servers_words(campaign, contact, user, sink):
    sink.answers["RCPT"] = "550 5.1.1 who?"

    with pytest.raises(Invalid, match="who\\?"):
        send_test(campaign, step=1, contact=contact, to="me@example.com", by=user)

    assert Message.objects.get().state == "failed"
    assert not Suppression.objects.exists()
