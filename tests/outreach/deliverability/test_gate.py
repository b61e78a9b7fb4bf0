from datetime import timedelta

import pytest
from django.utils import timezone

from outreach.campaigns import create_campaign, start_campaign
from outreach.deliverability import gate
from outreach.deliverability.gate import problems_of, recheck, refresh, warnings_of
from outreach.models import SendingDomain
from pipelime.errors import Invalid
from pipelime.scope import every_account
from tests.factories import AccountFactory, MailboxFactory, SendingDomainFactory
from tests.names import Silent, Table

NOTHING = Table({})


@pytest.fixture
def mailbox(account):
    return MailboxFactory(account=account, email="bo@acme.example", smtp_host="192.0.2.1")


@pytest.fixture
def campaign(account, user, mailbox):
    return create_campaign(
        account,
        by=user,
        name="Spring",
        steps=[{"subject": "Hello", "body": "May I ask you something, {{ first_name }}?"}],
        mailboxes=[mailbox],
    )


def test_a_domain_without_spf_and_dmarc_keeps_a_campaign_from_starting(campaign, user):
    refresh(campaign, NOTHING)

    with pytest.raises(Invalid) as caught:
        start_campaign(campaign, by=user)

    assert [problem.split(":")[0] for problem in caught.value.fields["campaign"]] == [
        "acme.example, SPF",
        "acme.example, DMARC",
    ]


def test_name_servers_that_do_not_answer_keep_nobody_from_starting(campaign, user):
    start_campaign(campaign, by=user)

    assert campaign.status == "STARTED"
    assert len(warnings_of(campaign)) == 4


def test_looking_at_problems_asks_nobody(campaign):
    assert problems_of(campaign) == []
    assert not SendingDomain.objects.filter(checked_at__isnull=False).exists()


def test_what_was_looked_at_today_is_not_asked_again(campaign):
    refresh(campaign, Silent())
    refresh(campaign, table := Table({}))

    assert table.questions == []
    assert problems_of(campaign) == []


def test_what_was_looked_at_yesterday_is_asked_again(campaign):
    refresh(campaign, Silent())
    SendingDomain.objects.update(checked_at=timezone.now() - timedelta(hours=25))

    refresh(campaign, NOTHING)

    assert len(problems_of(campaign)) == 2


def test_a_server_in_house_needs_no_dns(campaign, mailbox, settings):
    SendingDomainFactory(
        account=campaign.account,
        name="acme.example",
        findings=[{"check": "spf", "level": "problem", "found": "", "advice": "Add it."}],
    )
    settings.OUTBOUND_ALLOW = ["192.0.2.1"]

    assert problems_of(campaign) == []


def test_another_account_s_findings_mean_nothing_here(campaign):
    SendingDomainFactory(
        account=AccountFactory(),
        name="acme.example",
        findings=[{"check": "spf", "level": "problem", "found": "", "advice": "Add it."}],
    )

    assert problems_of(campaign) == []


def test_words_are_warned_of_with_their_step(campaign, user):
    campaign.steps.update(variants=[{"key": "A", "weight": 1, "subject": "WINNER", "body": "Hello"}])

    assert warnings_of(campaign) == [
        "Step 1: the subject is all in capitals.",
        'Step 1: spam filters dislike "winner".',
    ]


def test_housekeeping_looks_at_each_domain_once_a_day(account, mailbox, settings):
    settings.DNS_RESOLVER = "tests.names.Empty"
    MailboxFactory(account=account, email="ana@acme.example", smtp_host="192.0.2.1")
    MailboxFactory(account=AccountFactory(), email="eve@acme.example", smtp_host="192.0.2.1")

    with every_account():
        assert recheck() == {"domains": 2}
        assert recheck() == {"domains": 0}
        assert SendingDomain.objects.filter(name="acme.example").count() == 2


def test_once_the_time_is_over_nobody_is_asked(campaign, monkeypatch):
    monkeypatch.setattr(gate, "ALL_SECONDS", 0.0)

    refresh(campaign, NOTHING)

    assert not SendingDomain.objects.filter(checked_at__isnull=False).exists()
