"""What users write into names, subjects and texts stays words: in mails, and in what a provider is asked."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email import policy

import pytest
from django.utils import timezone

from outreach import letters, oauth
from outreach.composing import HeaderUnsafe, compose
from outreach.incoming.taking import take_in
from outreach.linkedin.port import Found, Locked
from outreach.linkedin.unipile import Unipile
from outreach.models import Campaign, EmailAccount, Enrolment, LinkedInAccount, Message
from outreach.templating import TemplateInvalid, VariableMissing
from tests.factories import (
    CampaignFactory,
    CompanyFactory,
    ContactFactory,
    EnrolmentFactory,
    MailboxFactory,
    MessageFactory,
    SequenceStepFactory,
)
from tests.outreach.incoming.conftest import CORPUS
from tests.receivers import HttpReceiver
from tests.unipile import UnipileStandIn

NOW = datetime(2026, 11, 20, 10, 15, tzinfo=UTC)
INJECTED = [
    "Sam\r\nBcc: eve@evil.example",
    "Sam\nX-Evil: 1",
    "Sam\r\n\r\n<b>",
    "Sam\x0bX-Evil: 1",
    "\u2028Bcc: a@b.c",
]
SAYS = {
    "subject": "{{ first_name }} {{ company }} {{ sender.name }} {{ campaign }}",
    "body": "<p>{{ custom.note }} {{ sender.signature }} {{ first_name }}</p>",
}
FIELDS = [
    "to_name",
    "mailbox name",
    "signature",
    "first name",
    "company",
    "custom field",
    "campaign",
    "subject",
]


def written(account, field: str, value: str) -> bytes:
    """A mail in which this field says `value`; all others are harmless."""
    said = {name: (value if name == field else "harmless") for name in FIELDS}
    contact = ContactFactory(
        account=account, first_name=said["first name"], custom_fields={"note": said["custom field"]},
        company=CompanyFactory(account=account, name=said["company"]),
    )  # fmt: skip
    mailbox = MailboxFactory(account=account, name=said["mailbox name"], signature=said["signature"])
    campaign = CampaignFactory(account=account, name=said["campaign"], postal_address="1 Quay")
    words = {"key": "A", "weight": 1, **SAYS} | ({"subject": value} if field == "subject" else {})
    step = SequenceStepFactory(account=account, campaign=campaign, number=1, variants=[words])
    place = EnrolmentFactory(account=account, campaign=campaign, contact=contact, mailbox=mailbox)
    message = MessageFactory(account=account, enrolment=place, mailbox=mailbox, to_name=said["to_name"])
    return compose(letters.write(message, step, [], timezone.now())[1])


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", INJECTED)
def test_no_field_that_a_user_writes_adds_a_header(account, field, value):
    """Refused, or on one line; never a header more than an honest mail has."""
    try:
        mail = written(account, field, value)
    except (HeaderUnsafe, TemplateInvalid, VariableMissing):
        return

    honest = email.message_from_bytes(written(account, field, "harmless"), policy=policy.SMTP)
    read = email.message_from_bytes(mail, policy=policy.SMTP)
    assert sorted(read.keys()) == sorted(honest.keys())
    assert [part.get_content_type() for part in read.walk()] == [
        part.get_content_type() for part in honest.walk()
    ]


def test_nobody_gets_an_answer_to_a_mail_that_was_never_sent(account):
    """A follow-up without a subject goes on in a thread; where there is none, "Re:" would be a lie."""
    campaign: Campaign = CampaignFactory(account=account)
    mailbox: EmailAccount = MailboxFactory(account=account)
    variants = [{"key": "A", "weight": 1, "subject": "", "body": "Did you see this?"}]
    step = SequenceStepFactory(account=account, campaign=campaign, number=2, variants=variants)
    place: Enrolment = EnrolmentFactory(account=account, campaign=campaign, mailbox=mailbox)
    message = MessageFactory(account=account, enrolment=place, mailbox=mailbox, step_number=2)

    with pytest.raises(HeaderUnsafe, match="no mail before this one"):
        letters.write(message, step, [], timezone.now())


MACHINES = sorted(path for path in CORPUS.glob("*.eml") if "reply" not in path.name)


@pytest.mark.parametrize("path", MACHINES, ids=[path.stem for path in MACHINES])
def test_no_mail_of_a_machine_is_answered(account, path):
    mailbox = MailboxFactory(account=account, email="sam@sender.example")
    MessageFactory(
        account=account, mailbox=mailbox, state="sent", sent_at=NOW, to_address="grace@example.com",
        message_id="<0193476a-5c00-7b2e-9d11-4f6a0c3b2a01@sender.example>",
    )  # fmt: skip

    take_in(mailbox, path.read_bytes(), NOW)

    assert Message.objects.count() == 1


@pytest.fixture
def unipile(settings):
    with UnipileStandIn() as stand_in:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{stand_in.port}"]
        yield stand_in


def worked(url: str, number: str = "acc-1") -> LinkedInAccount:
    return LinkedInAccount(
        name="Ada\r\nX-Evil: 1", provider="unipile", provider_url=url, provider_account=number,
        provider_key="k3y",
    )  # fmt: skip


@pytest.mark.parametrize(
    "evil", ["a\r\nX-Evil: 1", "../../users?x=1#y", "a b/\x00", 'a"; name="text', "é\u2028"]
)
def test_nothing_that_a_user_writes_leaves_its_place_in_a_provider_s_request(unipile, evil):
    account, provider = worked(unipile.url.rstrip("/"), evil), Unipile()
    answers = [
        provider.find(account, f"https://www.linkedin.com/in/{evil}"),
        provider.write(account, Found(person_id=evil), evil),
        provider.write(account, Found(chat_id="chat-1"), evil),
        provider.invite(account, Found(person_id=evil), evil),
    ]
    provider.status(account)

    assert len(answers) == 4
    assert len(unipile.requests) == 5
    for request in unipile.requests:
        assert not [name for name in request.headers if name.lower() == "x-evil"]
        assert request.path.startswith(("/api/v1/users/", "/api/v1/chats", "/api/v1/accounts/"))
        assert "/../" not in request.path
        assert "#" not in request.path


INSIDE = [
    "https://127.0.0.1",
    "https://10.0.0.1",
    "https://169.254.169.254",
    "https://[::1]",
    "https://0.0.0.0",
]


@pytest.mark.parametrize("url", INSIDE)
def test_a_provider_s_address_does_not_lead_into_the_network(settings, url):
    settings.OUTBOUND_ALLOW = []

    assert isinstance(Unipile().find(worked(url), "https://www.linkedin.com/in/x"), Locked)
    assert Unipile().status(worked(url))[0] is False


def test_what_listens_inside_hears_nothing(settings):
    settings.OUTBOUND_ALLOW = []
    google = {"client_id": "x", "client_secret": "y", "auth_url": "https://a.example"}
    with HttpReceiver(200) as inside:
        settings.MAIL_PROVIDERS = {"google": google | {"token_url": inside.url}, "microsoft": google}
        Unipile().find(worked(inside.url), "https://www.linkedin.com/in/x")
        with pytest.raises(oauth.ProviderUnavailable):
            oauth.refresh(oauth.GOOGLE, "refresh")

        assert inside.requests == []
