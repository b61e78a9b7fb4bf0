"""Putting contacts into a campaign over the API, and looking at what they would get."""

import pytest

from crm.contacts import create_contact
from crm.models import Contact, ImportRow
from outreach.models import Enrolment
from pipelime.scope import every_account
from tests.factories import (
    CampaignFactory,
    ContactFactory,
    EnrolmentFactory,
    ImportJobFactory,
    MailboxFactory,
    SequenceStepFactory,
)
from tests.sinks import SmtpSink

MISSING = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def campaign(account):
    return CampaignFactory(account=account)


def enrol(native, campaign, body: dict):
    return native.post(f"/api/campaigns/{campaign.uid}/contacts", body, format="json")


def addresses() -> list[str]:
    return list(Enrolment.objects.order_by("pk").values_list("address", flat=True))


def details(answer) -> dict:
    assert answer.status_code == 422, answer.content
    return answer.json()["error"]["details"]


def test_those_left_out_are_counted_by_reason_and_named(native, account, campaign):
    good = ContactFactory(account=account, email="good@example.com")
    nameless = ContactFactory(account=account, email="")
    gone = ContactFactory(account=account, email="gone@example.com", status=Contact.Status.UNSUBSCRIBED)
    ids = [str(contact.uid) for contact in (good, nameless, gone)]

    answer = enrol(native, campaign, {"contact_ids": ids})
    again = enrol(native, campaign, {"contact_ids": ids[:1]})

    assert answer.json() == {
        "added": 1,
        "left_out": {"no_email": 1, "unsubscribed": 1},
        "who": [{"contact_id": ids[1], "code": "no_email"}, {"contact_id": ids[2], "code": "unsubscribed"}],
    }
    assert (again.json()["added"], again.json()["left_out"]) == (0, {"already_in_campaign": 1})
    assert addresses() == ["good@example.com"]


def test_an_unknown_contact_stops_the_whole_request(native, account, campaign, stranger):
    known, foreign = ContactFactory(account=account), ContactFactory(account=stranger.account)

    answers = [
        enrol(native, campaign, {"contact_ids": [str(known.uid), uid]}) for uid in (MISSING, str(foreign.uid))
    ]

    for answer, uid in zip(answers, (MISSING, str(foreign.uid)), strict=True):
        assert details(answer) == {"contact_ids": [f"There is no contact with the id '{uid}'"]}
    assert addresses() == []


def test_the_contacts_of_an_import_are_those_that_it_made_changed_or_met(native, account, campaign):
    job = ImportJobFactory(account=account)
    with every_account():
        for line, outcome in enumerate(("created", "updated", "skipped", "rejected"), 2):
            contact = ContactFactory(account=account, email=f"{outcome}@example.com")
            object_id = None if outcome == "rejected" else contact.pk
            ImportRow.objects.create(job=job, line=line, outcome=outcome, object_id=object_id)
    ContactFactory(account=account, email="other@example.com")

    answer = enrol(native, campaign, {"import_id": str(job.uid)})

    assert answer.json()["added"] == 3
    assert addresses() == ["created@example.com", "updated@example.com", "skipped@example.com"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"status": "running"}, "This import is running; wait until it is done"),
        ({"kind": "companies"}, "This import holds companies; choose one of contacts"),
    ],
)
def test_an_import_that_has_no_contacts_yet_is_refused(native, account, campaign, facts, words):
    job = ImportJobFactory(account=account, **facts)

    assert details(enrol(native, campaign, {"import_id": str(job.uid)})) == {"import_id": [words]}


def test_a_filter_takes_what_the_list_of_contacts_takes(native, account, user, campaign):
    create_contact(account, by=user, email="a@example.com", first_name="Ada", tags=["vip"])
    create_contact(account, by=user, email="b@example.com", first_name="Bob", tags=["vip"])
    create_contact(account, by=user, email="c@example.com", first_name="Ada")

    answer = enrol(native, campaign, {"filter": {"tag": "vip", "search": "ada", "status": ["active"]}})

    assert answer.json() == {"added": 1, "left_out": {}, "who": []}
    assert addresses() == ["a@example.com"]


def test_an_empty_filter_takes_everybody(native, account, campaign):
    ContactFactory.create_batch(2, account=account)

    assert enrol(native, campaign, {"filter": {}}).json()["added"] == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "non_field_errors"),
        ({"contact_ids": [MISSING], "filter": {}}, "non_field_errors"),
        ({"contact_ids": []}, "contact_ids"),
        ({"contact_ids": ["seven"]}, "contact_ids.0"),
        ({"import_id": MISSING}, "import_id"),
        ({"filter": {"tagg": "vip"}}, "filter.tagg"),
        ({"filter": {"company": "seven"}}, "company"),
    ],
)
def test_a_choice_that_names_nobody_is_refused(native, account, campaign, body, field):
    ContactFactory(account=account)

    assert list(details(enrol(native, campaign, body))) == [field]
    assert addresses() == []


def test_the_contacts_of_a_campaign_show_how_far_they_are(native, account, campaign):
    held = EnrolmentFactory(account=account, campaign=campaign, state="held", reason="no first_name")
    EnrolmentFactory(account=account, campaign=campaign)
    EnrolmentFactory(account=account, state="held")

    answer = native.get(f"/api/campaigns/{campaign.uid}/contacts?status=held")

    [row] = answer.json()["data"]
    assert row["contact"] == {
        "id": str(held.contact.uid),
        "first_name": "Grace",
        "last_name": held.contact.last_name,
    }
    assert (row["email"], row["status"], row["reason"], row["step"]) == (
        held.address,
        "held",
        "no first_name",
        1,
    )


@pytest.fixture
def sink(settings):
    with SmtpSink() as sink:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{sink.port}"]
        yield sink


@pytest.fixture
def ready(account, campaign, sink):
    SequenceStepFactory(account=account, campaign=campaign)
    campaign.mailboxes.add(MailboxFactory(account=account, email="sam@example.com", smtp_port=sink.port))
    return campaign


def test_a_preview_shows_one_contact_s_mail(native, account, ready):
    contact = ContactFactory(account=account, email="grace@example.com")

    answer = native.get(f"/api/campaigns/{ready.uid}/preview?contact_id={contact.uid}&step=1")

    shown = answer.json()
    assert answer.status_code == 200
    assert (shown["subject"], shown["from"], shown["to"]) == (
        "Hello Grace",
        "sam@example.com",
        "grace@example.com",
    )
    assert shown["text"].startswith("Dear Grace\n")
    assert shown["problems"] == []


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("", 422, "contact_id"),
        ("?contact_id=seven", 422, "contact_id"),
        ("?contact_id={contact}&step=0", 422, "step"),
        ("?contact_id={contact}&stp=1", 422, "stp"),
        ("?contact_id={contact}&step=9", 404, None),
    ],
)
def test_a_preview_of_nothing_says_what_is_wrong(native, account, ready, query, status, field):
    contact = ContactFactory(account=account)

    answer = native.get(f"/api/campaigns/{ready.uid}/preview{query.format(contact=contact.uid)}")

    assert answer.status_code == status
    assert list(answer.json()["error"].get("details", {})) == ([field] if field else [])


def test_a_test_mail_goes_to_oneself_with_the_server_s_words(native, account, ready, sink):
    contact = ContactFactory(account=account, email="grace@example.com")
    body = {"contact_id": str(contact.uid), "to": "me@example.com"}

    answer = native.post(f"/api/campaigns/{ready.uid}/test", body, format="json")

    assert answer.status_code == 200, answer.content
    assert answer.json()["to"] == "me@example.com"
    assert answer.json()["reply"].startswith("250")
    assert [arrival.recipients for arrival in sink.arrivals] == [("me@example.com",)]


def test_a_key_has_no_address_of_its_own_but_a_person_has(native, browser, account, user, ready, sink):
    body = {"contact_id": str(ContactFactory(account=account).uid)}
    path = f"/api/campaigns/{ready.uid}/test"

    by_key = native.post(path, body, format="json")
    by_person = browser.post(path, body, content_type="application/json")

    assert details(by_key) == {"to": ["An API key has no address of its own; say whose"]}
    assert by_person.json()["to"] == user.email
    assert [arrival.recipients for arrival in sink.arrivals] == [(user.email,)]
