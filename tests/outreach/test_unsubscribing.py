import pytest

from outreach.models import Suppression
from outreach.unsubscribing import message_of, token_for, unsubscribe, unsubscribe_url
from pipelime.errors import NotFound
from tests.factories import MessageFactory


def test_the_link_of_a_mail_unsubscribes_its_recipient(account, settings):
    settings.PIPELIME_PUBLIC_URL = "https://mail.example.com"
    message = MessageFactory(account=account)
    url = unsubscribe_url(message)

    unsubscribe(url.removeprefix("https://mail.example.com/u/"))

    assert Suppression.objects.get().cause == "unsubscribed"


def test_unsubscribing_twice_changes_nothing(account):
    message = MessageFactory(account=account)

    unsubscribe(token_for(message.uid))
    message.refresh_from_db()
    first = message.unsubscribed_at
    unsubscribe(token_for(message.uid))

    message.refresh_from_db()
    assert Suppression.objects.count() == 1
    assert first is not None
    assert message.unsubscribed_at == first


def test_the_record_says_how_it_was_asked(account):
    message = MessageFactory(account=account, campaign_name="Spring")

    unsubscribe(token_for(message.uid))

    assert Suppression.objects.get().source == "the link in a mail of Spring"


CHANGES = {
    "shorter": lambda token: token[:-1],
    "another start": lambda token: "B" + token[1:],
    "nothing": lambda token: "",
    "padded": lambda token: token + "=",
    "not ASCII": lambda token: "é" + token,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_token_is_unknown(change, account):
    token = token_for(MessageFactory(account=account).uid)

    with pytest.raises(NotFound):
        message_of(change(token))

    assert not Suppression.objects.exists()
