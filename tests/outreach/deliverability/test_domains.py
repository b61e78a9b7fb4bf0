import pytest

from outreach.deliverability.domains import (
    dkim_name,
    dkim_record,
    domain_of,
    look,
    mailboxes_of,
    make_key,
    update_domain,
)
from outreach.mailboxes import create_mailbox
from outreach.models import SendingDomain
from pipelime.errors import Invalid
from pipelime.events.models import Event
from tests.factories import MailboxFactory, SendingDomainFactory
from tests.names import Silent, Table
from tests.outreach.deliverability.keys import a_key

SMTP = {"host": "smtp.acme.example", "port": 587, "security": "starttls", "username": "", "password": ""}
IN_ORDER = Table(
    {
        "acme.example": ["v=spf1 mx -all"],
        "_dmarc.acme.example": ["v=DMARC1; p=none"],
    },
    mx={"acme.example": ["mx.acme.example"]},
)


@pytest.fixture
def domain(account):
    return SendingDomainFactory(account=account, name="acme.example")


def levels(domain: SendingDomain) -> dict[str, str]:
    return {finding["check"]: finding["level"] for finding in domain.findings}


def test_a_new_mailbox_brings_its_domain(account, user):
    for address in ("bo@Acme.example", "ana@acme.example"):
        create_mailbox(account, by=user, email=address, smtp=SMTP)

    assert [domain.name for domain in SendingDomain.objects.all()] == ["acme.example"]


def test_a_domain_beyond_ascii_is_known_by_its_dns_name(account):
    mailbox = MailboxFactory(account=account, email="zoe@bücher.example")

    assert domain_of(mailbox).name == "xn--bcher-kva.example"
    assert mailboxes_of(domain_of(mailbox)) == [mailbox]


def test_what_the_dns_says_is_kept(domain):
    look(domain, IN_ORDER)

    domain.refresh_from_db()
    assert levels(domain) == {"spf": "ok", "dmarc": "ok", "mx": "ok", "dkim": "warning"}
    assert domain.checked_at is not None


def test_silence_is_kept_as_warnings(domain):
    look(domain, Silent())

    assert levels(domain) == dict.fromkeys(("spf", "dmarc", "mx", "dkim"), "warning")
    assert domain.findings[0]["advice"].startswith("SPF could not be asked about just now.")


def test_the_proposed_record_names_the_mailboxes_servers(account, domain):
    MailboxFactory(account=account, email="bo@acme.example", smtp_host="smtp.gmail.com")
    MailboxFactory(account=account, email="bo@other.example", smtp_host="smtp.other.example")

    look(domain, Table({}))

    assert domain.findings[0]["advice"] == (
        'Add a TXT record at acme.example: "v=spf1 include:_spf.google.com ~all".'
    )


def test_a_key_is_made_and_only_its_public_half_is_told(domain, user):
    make_key(domain, by=user)

    domain.refresh_from_db()
    assert dkim_name(domain) == "pipelime._domainkey.acme.example"
    assert dkim_record(domain).startswith("v=DKIM1; k=rsa; p=MII")
    assert domain.signs is False
    event = Event.objects.get(name="sending_domain.updated")
    assert "PRIVATE" not in str(event.data)


def test_another_key_signs_nothing_before_it_is_published(domain, user):
    make_key(domain, by=user)
    update_domain(domain, by=user, signs=True)
    before = dkim_record(domain)

    make_key(domain, by=user)

    assert domain.signs is False
    assert dkim_record(domain) != before


def test_without_a_key_nothing_can_be_signed(domain, user):
    with pytest.raises(Invalid, match="make a key"):
        update_domain(domain, by=user, signs=True)

    domain.refresh_from_db()
    assert domain.signs is False


@pytest.mark.parametrize("selector", ["a b", "-a", "a..b", "ä", "x" * 64, "a_b;"])
def test_a_selector_is_a_name_of_the_dns(domain, user, selector):
    with pytest.raises(Invalid) as caught:
        update_domain(domain, by=user, dkim_selector=selector)

    assert caught.value.field == "dkim_selector"


def test_changing_nothing_records_nothing(domain, user):
    update_domain(domain, by=user, dkim_selector="", signs=False)

    assert not Event.objects.filter(name="sending_domain.updated").exists()


def test_our_key_is_looked_for_where_it_is_to_be_published(account, user):
    domain = SendingDomainFactory(account=account, name="acme.example", dkim_key=a_key(), dkim_selector="p")
    table = Table({"p._domainkey.acme.example": [dkim_record(domain)]})

    look(domain, table)

    assert levels(domain)["dkim"] == "ok"
