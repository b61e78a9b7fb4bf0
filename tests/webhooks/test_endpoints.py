import pytest

from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from pipelime.scope import account_scope
from tests.factories import AccountFactory, DeliveryFactory, EndpointFactory
from tests.webhooks.conftest import make_deliveries
from webhooks.endpoints import (
    create_endpoint,
    delete_endpoint,
    disable_endpoint,
    enable_endpoint,
    rotate_secret,
    send_test,
    update_endpoint,
)
from webhooks.models import Attempt, Delivery, Endpoint

URL = "https://hooks.example.com/in"


def names() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("name", flat=True))


def test_an_endpoint_is_made_with_a_secret_and_remembered(account, user):
    endpoint, secret = create_endpoint(
        account, by=user, url=f" {URL} ", events=["lead.*", "contact.created", "lead.*"], description="Zap "
    )

    stored = Endpoint.objects.get()
    assert (stored.url, stored.events, stored.description) == (URL, ["lead.*", "contact.created"], "Zap")
    assert (stored.secret, stored.created_by, stored.dialect) == (secret, user, "native")
    assert names() == ["endpoint.created"]
    assert endpoint == stored


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "needs a URL"),
        (None, "needs a URL"),
        ("hooks.example.com", "https://"),
        ("ftp://hooks.example.com", "https://"),
        ("http://hooks.example.org.invalid/", "PIPELIME_OUTBOUND_ALLOW"),
        ("http://10.0.0.1/", "PIPELIME_OUTBOUND_ALLOW"),
        ("https://10.0.0.1/", "may not be reached"),
        ("https://[::1]/", "may not be reached"),
        ("https://169.254.169.254/latest", "may not be reached"),
        ("https://user:secret@hooks.example.com/", "header instead"),
        ("https://hooks.example.com/#part", "fragment"),
        ("https://hooks.example.com/a b", "percent-encoded"),
        ("https://hooks.example.com/" + "x" * 2000, "at most 2000"),
    ],
)
def test_a_url_that_will_not_do_is_refused_with_what_would(account, user, url, says):
    with pytest.raises(Invalid, match=says) as refusal:
        create_endpoint(account, by=user, url=url, events=["*"])

    assert list(refusal.value.fields) == ["url"]
    assert not Endpoint.objects.exists()


def test_plain_http_is_accepted_where_the_operator_allows_it(account, user):
    endpoint, _ = create_endpoint(account, by=user, url="http://127.0.0.1:8123/in", events=["*"])

    assert endpoint.url == "http://127.0.0.1:8123/in"


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([], "at least one"),
        ("contact.created", "list of names"),
        ([1], "list of names"),
        (["contact.made"], "'contact.made' is no event"),
        (["contacts.*"], "'contacts.\\*' is no event"),
        (["*"] * 2 + [f"lead.{n}" for n in range(100)], "More than 100"),
    ],
)
def test_events_that_cannot_happen_are_refused(account, user, events, says):
    with pytest.raises(Invalid, match=says) as refusal:
        create_endpoint(account, by=user, url=URL, events=events)

    assert list(refusal.value.fields) == ["events"]


def test_an_unknown_dialect_is_refused_with_the_known_ones(account, user):
    with pytest.raises(Invalid, match=r"'esperanto' is no dialect.*native"):
        create_endpoint(account, by=user, url=URL, events=["*"], dialect="esperanto")


def test_a_change_tells_what_it_changed(account, user):
    endpoint = EndpointFactory(account=account, events=["*"], description="old")

    update_endpoint(endpoint, by=user, events=["lead.*"], description="old")

    assert Endpoint.objects.get().events == ["lead.*"]
    [event] = Event.objects.filter(name="endpoint.updated")
    assert event.data["changes"] == {"events": [["*"], ["lead.*"]]}


def test_changing_nothing_says_nothing(account, user):
    endpoint = EndpointFactory(account=account, description="old")

    update_endpoint(endpoint, by=user, description="old")

    assert names() == []


def test_what_cannot_be_set_is_refused_by_name(account, user):
    with pytest.raises(
        Invalid, match="no secret that can be set; url, events, description, name, email, on_menu can"
    ):
        update_endpoint(EndpointFactory(account=account), by=user, secret="mine")


def test_disabling_calls_off_what_is_queued_and_tells_once(account, user):
    endpoint = EndpointFactory(account=account)
    [queued] = make_deliveries(endpoint, 1)
    [done] = make_deliveries(endpoint, 1, state="done")
    elsewhere = DeliveryFactory(account=account, endpoint__events=["lead.*"])

    assert disable_endpoint(endpoint, by=user, reason="Moving house") is True
    assert disable_endpoint(Endpoint.objects.get(pk=endpoint.pk), by=user, reason="Again") is False

    states = dict(Delivery.objects.values_list("pk", "state"))
    assert states == {queued.pk: "cancelled", done.pk: "done", elsewhere.pk: "queued"}
    assert Endpoint.objects.get(pk=endpoint.pk).disabled_reason == "Moving house"
    [event] = Event.objects.filter(name="endpoint.disabled")
    assert event.data["object"]["disabled_reason"] == "Moving house"


def test_enabling_forgets_the_failures(account, user, endpoint):
    endpoint.failing_since = endpoint.warned_at = endpoint.created_at
    endpoint.save()
    disable_endpoint(endpoint, by=user, reason="Failing")

    enable_endpoint(endpoint, by=user)
    enable_endpoint(endpoint, by=user)

    stored = Endpoint.objects.get()
    assert (stored.is_enabled, stored.disabled_reason) == (True, "")
    assert (stored.failing_since, stored.warned_at) == (None, None)
    assert names().count("endpoint.enabled") == 1


def test_deleting_takes_deliveries_and_attempts_of_this_endpoint_only(account, user):
    gone, stays = EndpointFactory.create_batch(2, account=account, events=["lead.*"])
    for endpoint in (gone, stays):
        [delivery] = make_deliveries(endpoint, 1)
        Attempt.objects.create(delivery=delivery, status=200)

    delete_endpoint(gone, by=user)

    assert list(Endpoint.objects.all()) == [stays]
    assert set(Delivery.objects.values_list("endpoint_id", flat=True)) == {stays.pk}
    assert Attempt.objects.get().delivery.endpoint == stays
    assert "endpoint.deleted" in names()


@pytest.mark.parametrize("events", [["*"], ["lead.*"]])
def test_a_test_is_sent_once_whatever_the_endpoint_listens_to(
    account, user, endpoint, receiver, deliver, events
):
    update_endpoint(endpoint, by=None, events=events)
    Delivery.objects.all().delete()

    delivery = send_test(endpoint, by=user)
    deliver()

    [request] = receiver.requests
    assert request.headers["webhook-id"] == delivery.webhook_id
    assert b'"type":"endpoint.tested"' in request.body


def test_a_disabled_endpoint_cannot_be_tested(account, user, endpoint):
    disable_endpoint(endpoint, by=user, reason="Off")

    with pytest.raises(Conflict, match="enable it"):
        send_test(endpoint, by=user)


def test_another_accounts_endpoint_cannot_be_disabled(account, user):
    foreign = EndpointFactory(account=AccountFactory())

    assert disable_endpoint(foreign, by=user, reason="Mischief") is False

    with account_scope(foreign.account):
        assert Endpoint.objects.get().is_enabled


def test_rotating_twice_keeps_the_secret_before_the_last(account, user, endpoint):
    first = rotate_secret(endpoint, by=user)
    second = rotate_secret(endpoint, by=user)

    stored = Endpoint.objects.get()
    assert (stored.secret, stored.old_secret) == (second, first)
