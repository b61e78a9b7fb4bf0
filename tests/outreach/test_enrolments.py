"""What a person does to one contact's place in a campaign, also while workers are at it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from outreach.enrolments import (
    finished,
    jump,
    park,
    pause_enrolment,
    release_enrolment,
    remove_enrolment,
    resume_enrolment,
    set_intent,
)
from outreach.models import CapCounter, Enrolment, Message
from pipelime.errors import Invalid
from pipelime.events.models import Event
from tests.factories import CampaignFactory, EnrolmentFactory, MessageFactory, SequenceStepFactory

MONDAY = datetime(2030, 1, 7, 9, tzinfo=UTC)


@pytest.fixture
def campaign(account):
    campaign = CampaignFactory(account=account, status="STARTED")
    for number in (1, 2, 3):
        SequenceStepFactory(account=account, campaign=campaign, number=number)
    return campaign


def placed(campaign, state: str = "waiting", **facts) -> Enrolment:
    return EnrolmentFactory(account=campaign.account, campaign=campaign, state=state, **facts)


def with_message(campaign, state: str, **facts) -> tuple[Enrolment, Message]:
    """A place whose first step has a message in this state."""
    place = placed(campaign, "in_flight", **facts)
    return place, MessageFactory(account=campaign.account, enrolment=place, state=state, sent_at=MONDAY)


def changes() -> list[dict]:
    return [event.data["changes"] for event in Event.objects.filter(name="enrolment.status_changed")]


@pytest.mark.parametrize("state", ["queued", "claimed", "todo"])
def test_pausing_gives_up_what_is_not_on_its_way(campaign, user, state):
    place, message = with_message(campaign, state)

    pause_enrolment(place, by=user)

    message.refresh_from_db()
    assert (place.state, message.state, message.fence) == ("paused", "cancelled", 1)
    assert changes() == [{"status": ["in_flight", "paused"]}]


def test_pausing_gives_back_what_a_claim_took_of_a_cap(campaign, user):
    place, message = with_message(campaign, "claimed")
    Message.objects.update(mailbox_day=MONDAY.date())
    CapCounter.objects.create(scope=f"mailbox:{message.mailbox_id}", day=MONDAY.date(), used=1)

    pause_enrolment(place, by=user)

    assert CapCounter.objects.get().used == 0


def test_pausing_twice_is_pausing_once(campaign, user):
    place = placed(campaign)

    pause_enrolment(place, by=user)
    pause_enrolment(place, by=user)

    assert len(changes()) == 1


@pytest.mark.parametrize("state", ["finished", "stopped"])
def test_whoever_is_through_cannot_pause(campaign, user, state):
    with pytest.raises(Invalid, match=f"This contact's place is {state}"):
        pause_enrolment(placed(campaign, state), by=user)


@pytest.mark.parametrize(
    ("message_state", "place_state"),
    [("queued", "waiting"), ("sending", "in_flight"), ("ambiguous", "in_flight"), ("sent", "in_flight")],
)
def test_resuming_goes_on_where_it_was_and_begins_no_step_twice(campaign, user, message_state, place_state):
    place, message = with_message(campaign, message_state)
    Message.objects.update(followed_up=True)
    pause_enrolment(place, by=user)

    resume_enrolment(place, by=user)

    message.refresh_from_db()
    assert (place.state, place.step_number) == (place_state, 1)
    assert message.followed_up is (message_state != "sent")  # what was sent is followed up now


def test_resuming_wakes_a_finished_campaign(campaign, user):
    place = placed(campaign, "paused")
    type(campaign).objects.update(status="FINISHED")

    resume_enrolment(place, by=user)

    campaign.refresh_from_db()
    assert campaign.status == "STARTED"


def test_only_a_paused_place_is_resumed(campaign, user):
    with pytest.raises(Invalid, match="is waiting; only a paused one"):
        resume_enrolment(placed(campaign), by=user)


@pytest.mark.parametrize("state", ["waiting", "in_flight", "held", "paused", "finished"])
def test_whoever_is_removed_gets_nothing_more(campaign, user, state):
    place = placed(campaign, state)
    message = MessageFactory(account=campaign.account, enrolment=place, state="queued")

    remove_enrolment(place, by=user)

    message.refresh_from_db()
    assert (place.state, place.reason, message.state) == ("stopped", "removed", "cancelled")


def test_what_was_sent_stays_on_record_when_its_contact_is_removed(campaign, user):
    place, message = with_message(campaign, "sent")

    remove_enrolment(place, by=user)

    message.refresh_from_db()
    assert message.state == "sent"


def test_why_somebody_was_stopped_first_is_kept(campaign, user):
    place = placed(campaign, "stopped", reason="replied")

    remove_enrolment(place, by=user)

    assert place.reason == "replied"
    assert changes() == []


def test_a_jump_goes_on_with_another_step_at_once(campaign, user):
    place, message = with_message(campaign, "queued", due_at=MONDAY, parked_until=MONDAY)

    jump(place, 3, by=user)

    message.refresh_from_db()
    assert (place.state, place.step_number, place.parked_until) == ("waiting", 3, None)
    assert timezone.now() - place.due_at < timedelta(minutes=1)
    assert message.state == "cancelled"
    assert changes()[0]["step"] == [1, 3]


def test_a_jump_takes_a_finished_place_up_again_and_leaves_a_paused_one_paused(campaign, user):
    through, still = placed(campaign, "finished", step_number=2), placed(campaign, "paused")

    jump(through, 3, by=user)
    jump(still, 2, by=user)

    assert (through.state, still.state) == ("waiting", "paused")


def test_nobody_gets_a_step_twice(campaign, user):
    place, _ = with_message(campaign, "sent")

    with pytest.raises(Invalid, match="has had step 1 already"):
        jump(place, 1, by=user)


@pytest.mark.parametrize("state", ["sending", "ambiguous"])
def test_a_jump_waits_for_what_is_being_sent(campaign, user, state):
    place, _ = with_message(campaign, state)

    with pytest.raises(Invalid, match="settle that first"):
        jump(place, 2, by=user)

    place.refresh_from_db()
    assert (place.state, place.step_number) == ("in_flight", 1)


def test_a_jump_to_nowhere_or_of_somebody_stopped_is_refused(campaign, user):
    with pytest.raises(Invalid, match="4 is no step of this campaign; it has 3 steps"):
        jump(placed(campaign), 4, by=user)
    with pytest.raises(Invalid, match=r"stopped \(unsubscribed\)"):
        jump(placed(campaign, "stopped", reason="unsubscribed"), 2, by=user)


def test_whoever_is_away_waits_until_they_are_back(campaign):
    soon = placed(campaign, due_at=MONDAY)
    late = placed(campaign, due_at=MONDAY + timedelta(days=30))
    queued, message = with_message(campaign, "queued", due_at=MONDAY)
    back = MONDAY + timedelta(days=7)

    count = park(Enrolment.objects.all(), until=back, reason="out of office")

    for place in (soon, late, queued, message):
        place.refresh_from_db()
    assert count == 3
    assert (soon.due_at, late.due_at, queued.due_at) == (back, MONDAY + timedelta(days=30), back)
    assert (queued.state, message.state, message.last_error) == ("waiting", "cancelled", "out of office")
    assert {place.parked_until for place in (soon, late, queued)} == {back}


def test_a_notice_that_says_less_than_the_one_before_changes_nothing(campaign):
    place = placed(campaign, due_at=MONDAY, parked_until=MONDAY + timedelta(days=7))

    assert park(Enrolment.objects.all(), until=MONDAY + timedelta(days=2), reason="out of office") == 0

    place.refresh_from_db()
    assert place.parked_until == MONDAY + timedelta(days=7)


def test_whoever_had_their_last_step_is_told_of(campaign):
    places = [placed(campaign, "in_flight") for _ in range(3)]

    finished([place.pk for place in places[:2]])

    assert list(Enrolment.objects.order_by("pk").values_list("state", flat=True)) == [
        "finished", "finished", "in_flight",
    ]  # fmt: skip
    assert changes() == [{"status": ["in_flight", "finished"]}] * 2


def test_only_a_held_place_is_released(campaign, user):
    held = placed(campaign, "held", reason="no first_name")

    release_enrolment(held, by=user)

    assert (held.state, held.reason) == ("waiting", "")
    with pytest.raises(Invalid, match="only a held one"):
        release_enrolment(held, by=user)


def test_an_intent_is_one_of_five_or_none(campaign, user):
    place = placed(campaign)

    set_intent(place, "meeting", by=user)
    set_intent(place, "meeting", by=user)
    with pytest.raises(Invalid, match="'maybe' is no intent; use interested"):
        set_intent(place, "maybe", by=user)

    assert changes() == [{"intent": ["", "meeting"]}]
