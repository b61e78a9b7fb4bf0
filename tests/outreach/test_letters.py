"""Letters as they leave: signed where that is asked for, their links counted where a campaign wants it."""

from __future__ import annotations

import dkim
import pytest

from outreach.models import EmailAccount, Message, TrackedLink
from tests.factories import SendingDomainFactory
from tests.outreach.deliverability.keys import a_key


def sign(mailbox: EmailAccount) -> None:
    domain = mailbox.email.rpartition("@")[2]
    SendingDomainFactory(
        account=mailbox.account, name=domain, dkim_key=a_key(), dkim_selector="s", signs=True
    )


def test_mail_of_a_domain_that_signs_is_signed(mailbox, started, run, campaign, sink):
    from outreach.deliverability.signing import record_of

    sign(mailbox)
    started(2)

    run(campaign)

    verdicts = [
        dkim.verify(arrival.data, dnsfunc=lambda name, timeout=5: record_of(a_key()).encode())
        for arrival in sink.arrivals
    ]
    assert verdicts == [True, True]


def test_mail_of_another_domain_is_not_signed(account, started, run, campaign, sink):
    SendingDomainFactory(
        account=account, name="other.example", dkim_key=a_key(), dkim_selector="s", signs=True
    )
    started(1)

    run(campaign)

    assert b"DKIM-Signature" not in sink.arrivals[0].data


def test_a_mail_names_our_own_id(started, run, campaign, sink):
    started(1)

    run(campaign)

    assert f"X-Message-Ref: {Message.objects.get().uid.hex}\r\n".encode() in sink.arrivals[0].data


@pytest.mark.parametrize("tracks", [True, False])
def test_links_of_a_mail_are_counted_where_the_campaign_wants_it(started, run, campaign, sink, tracks):
    campaign.track_clicks = tracks
    campaign.save()
    campaign.steps.update(
        variants=[
            {"key": "A", "weight": 1, "subject": "Hello", "body": '<p><a href="https://a.example">x</a></p>'}
        ]
    )
    started(2)

    run(campaign)

    html = sink.arrivals[0].data.replace(b"=\r\n", b"").replace(b"=3D", b"=")
    assert (b"/c/" in html) is tracks
    assert TrackedLink.objects.count() == int(tracks)
