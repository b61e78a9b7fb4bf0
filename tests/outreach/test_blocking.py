import pytest

from crm.models import Contact
from outreach.blocking import block, block_many, blocked, suppress, suppressed, unblock
from outreach.models import BlocklistEntry, Enrolment, Suppression
from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from tests.factories import AccountFactory, ContactFactory, EnrolmentFactory


@pytest.mark.parametrize(
    ("value", "kind", "stored"),
    [
        ("Bad@Example.COM", "email", "bad@example.com"),
        ("Example.com", "domain", "example.com"),
        ("@example.com", "domain", "example.com"),
        ("bücher.example", "domain", "xn--bcher-kva.example"),
    ],
)
def test_an_entry_is_an_address_or_a_domain(value, kind, stored, account, user):
    entry = block(account, by=user, value=value, reason="asked us")

    assert (entry.kind, entry.value, entry.reason) == (kind, stored, "asked us")


@pytest.mark.parametrize("value", ["", "two words", "a@", "@", "http://example.com/x"])
def test_anything_else_is_refused(value, account, user):
    with pytest.raises(Invalid, match="neither an address nor a domain"):
        block(account, by=user, value=value)

    assert not BlocklistEntry.objects.exists()


def test_blocking_twice_is_a_conflict_that_names_the_entry(account, user):
    entry = block(account, by=user, value="a@example.com")

    with pytest.raises(Conflict) as clash:
        block(account, by=user, value="A@example.com")

    assert clash.value.existing == str(entry.uid)


def test_a_list_of_values_is_judged_line_by_line(account, user):
    result = block_many(
        account, ["a@example.com", "", "nonsense here", "a@example.com", "b.example"], by=user
    )

    assert (result.added, result.known) == (2, 1)
    assert [(line, value) for line, value, _ in result.invalid] == [(3, "nonsense here")]


def test_a_domain_covers_its_addresses_and_no_other(account, user):
    block(account, by=user, value="example.com")

    assert blocked(["a@example.com", "a@sub.example.com", "a@example.org"]) == {
        "a@example.com": "example.com"
    }


def test_unblocking_lets_the_address_through_again(account, user):
    unblock(block(account, by=user, value="example.com"), by=user)

    assert blocked(["a@example.com"]) == {}
    assert Event.objects.filter(name="blocklist.removed").count() == 1


def test_unsubscribing_stops_every_campaign_and_is_told_once(account):
    contact = ContactFactory(account=account, email="a@example.com")
    enrolments = EnrolmentFactory.create_batch(2, account=account, contact=contact, address="a@example.com")

    suppress(account.pk, "a@example.com", cause="unsubscribed", source="a link")
    suppress(account.pk, "A@example.com", cause="unsubscribed", source="a link")

    contact.refresh_from_db()
    assert contact.status == Contact.Status.UNSUBSCRIBED
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"stopped"}
    assert len(enrolments) == 2
    assert Suppression.objects.count() == 1
    assert Event.objects.filter(name="contact.unsubscribed").count() == 1


def test_a_suppression_holds_the_address_only_as_a_keyed_hash(account):
    suppress(account.pk, "a@example.com", cause="bounced", source="550")

    row = Suppression.objects.values().get()
    assert "a@example.com" not in str(row)
    assert suppressed(["A@Example.com", "b@example.com"]) == {"A@Example.com": "bounced"}


def test_another_account_may_still_write(account):
    from pipelime.scope import account_scope

    suppress(account.pk, "a@example.com", cause="unsubscribed", source="a link")

    with account_scope(AccountFactory()):
        assert suppressed(["a@example.com"]) == {}


def test_a_list_of_values_stops_whoever_it_covers_and_is_told_value_by_value(account, user):
    joe = ContactFactory(account=account, email="Joe@Example.com")
    addresses = ("Joe@Example.com", "ann@b.example", "ann@sub.b.example")
    for address in addresses:
        EnrolmentFactory(account=account, address=address)

    block_many(account, ["joe@example.com", "B.example", "joe@example.com"], by=user, reason=" list ")

    joe.refresh_from_db()
    states = dict(Enrolment.objects.values_list("address", "state"))
    assert [states[address] for address in addresses] == ["stopped", "stopped", "waiting"]
    assert joe.status == Contact.Status.BLOCKED
    assert set(BlocklistEntry.objects.values_list("value", "reason")) == {
        ("joe@example.com", "list"),
        ("b.example", "list"),
    }
    assert Event.objects.filter(name="blocklist.added").count() == 2


def test_a_suppression_does_not_repeat_the_address_that_a_server_named(account):
    said = "the server said 550 5.1.1 <Ada@Example.com>: user unknown"

    entry = suppress(account.pk, "ada@example.com", cause="bounced", source=said)

    assert entry.source == "the server said 550 5.1.1 <the address>: user unknown"


def test_a_key_of_their_own_keeps_suppressions_apart_from_the_secret_key(account, settings):
    settings.PIPELIME_SUPPRESSION_KEY = ["own"]
    suppress(account.pk, "ada@example.com", cause="unsubscribed", source="a test")

    settings.SECRET_KEY = "another"
    known = suppressed(["ada@example.com", "grace@example.com"])
    settings.PIPELIME_SUPPRESSION_KEY = ["new", "own"]

    assert known == suppressed(["ada@example.com"]) == {"ada@example.com": "unsubscribed"}


def test_hashes_from_before_there_was_such_a_key_still_count_and_are_not_doubled(account, settings):
    suppress(account.pk, "ada@example.com", cause="bounced", source="a test")
    settings.PIPELIME_SUPPRESSION_KEY = ["own"]

    suppress(account.pk, "ada@example.com", cause="unsubscribed", source="a test")

    assert suppressed(["ada@example.com"]) == {"ada@example.com": "bounced"}
    assert Suppression.objects.count() == 1
