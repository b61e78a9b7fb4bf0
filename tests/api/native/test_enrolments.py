"""Places in campaigns as callers of the API move them."""

import pytest

from tests.factories import CampaignFactory, ContactFactory, EnrolmentFactory, SequenceStepFactory


@pytest.fixture
def place(account):
    campaign = CampaignFactory(account=account, name="Spring")
    for number in (1, 2):
        SequenceStepFactory(account=account, campaign=campaign, number=number)
    contact = ContactFactory(account=account, first_name="Ada", last_name="Byron")
    return EnrolmentFactory(account=account, campaign=campaign, contact=contact, address="ada@example.com")


def post(native, place, verb: str, body: dict | None = None):
    return native.post(f"/api/enrolments/{place.uid}/{verb}", body or {}, format="json")


def test_a_place_shows_whose_it_is_and_how_far(native, place):
    shown = native.get(f"/api/enrolments/{place.uid}").json()

    own = ("campaign", "contact", "email", "status", "step", "reason", "intent", "parked_until")
    assert {name: shown[name] for name in own} == {
        "campaign": {"id": str(place.campaign.uid), "name": "Spring"},
        "contact": {"id": str(place.contact.uid), "first_name": "Ada", "last_name": "Byron"},
        "email": "ada@example.com",
        "status": "waiting",
        "step": 1,
        "reason": "",
        "intent": None,
        "parked_until": None,
    }


def test_places_are_found_by_campaign_contact_status_and_intent(native, account, place):
    other = EnrolmentFactory(account=account, state="held", intent="meeting")

    def found(query: str) -> list[str]:
        return [row["id"] for row in native.get(f"/api/enrolments?{query}").json()["data"]]

    assert found(f"campaign={place.campaign.uid}") == [str(place.uid)]
    assert found(f"contact={other.contact.uid}") == [str(other.uid)]
    assert found("status=waiting,paused") == [str(place.uid)]
    assert found("intent=meeting") == [str(other.uid)]


def test_a_place_is_paused_resumed_moved_and_removed(native, place):
    paused = post(native, place, "pause").json()["status"]
    resumed = post(native, place, "resume").json()["status"]
    moved = post(native, place, "jump", {"step": 2}).json()["step"]
    removed = post(native, place, "remove").json()

    assert (paused, resumed, moved) == ("paused", "waiting", 2)
    assert (removed["status"], removed["reason"]) == ("stopped", "removed")


def test_a_held_place_is_released(native, account):
    held = EnrolmentFactory(account=account, state="held", reason="no first_name")

    released = post(native, held, "release").json()

    assert (released["status"], released["reason"]) == ("waiting", "")


@pytest.mark.parametrize(
    ("verb", "body", "words"),
    [
        ("resume", {}, "only a paused one can be resumed"),
        ("release", {}, "only a held one can be released"),
        ("jump", {"step": 9}, "9 is no step of this campaign"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(native, place, verb, body, words):
    answer = post(native, place, verb, body)

    assert answer.status_code == 422
    assert words in answer.json()["error"]["message"]


def test_an_intent_is_set_and_taken_back(native, place):
    def patch(intent):
        return native.patch(f"/api/enrolments/{place.uid}", {"intent": intent}, format="json").json()[
            "intent"
        ]

    assert patch("not_now") == "not_now"
    assert patch(None) is None
