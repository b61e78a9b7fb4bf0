"""LinkedIn accounts: connected once, changed with what waits in them, their keys forgotten at the end."""

from __future__ import annotations

import pytest

from outreach.linkedin.accounts import (
    create_linkedin_account,
    delete_linkedin_account,
    pause_linkedin_account,
    resume_linkedin_account,
    update_linkedin_account,
)
from outreach.linkedin.sending import send
from outreach.models import Enrolment, LinkedInAccount, Message
from pipelime.accounts.models import Notice
from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from tests.factories import LinkedInAccountFactory, UserFactory
from tests.outreach.linkedin.conftest import GRACE

ADA = {"name": "Ada Lovelace", "profile_url": "linkedin.com/in/Ada/"}
URL = "https://api8.unipile.com:13851"
UNIPILE = {
    "kind": "unipile",
    "url": f"{URL}/api/v1/",
    "account": "acc-1",
    "key": "k3y",
}


def events() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("name", flat=True))


def test_an_account_belongs_to_whoever_connects_it(account, user):
    row = create_linkedin_account(account, by=user, **ADA)

    assert (row.profile_url, row.owner, row.daily_limit, row.provider) == (
        "https://www.linkedin.com/in/ada", user, 20, "",
    )  # fmt: skip
    assert len(LinkedInAccount.objects.get().hook_key) > 30
    assert events() == ["linkedin_account.created"]


def test_a_profile_is_connected_once(account, user):
    known = create_linkedin_account(account, by=user, **ADA)

    with pytest.raises(Conflict, match="connected already") as refusal:
        create_linkedin_account(account, by=user, name="Again", profile_url="https://LinkedIn.com/in/ada")

    assert refusal.value.existing == str(known.uid)
    delete_linkedin_account(known, by=user)
    assert create_linkedin_account(account, by=user, **ADA).pk != known.pk


def test_a_provider_is_kept_with_its_key_out_of_sight(account, user):
    row = create_linkedin_account(account, by=user, **ADA, provider=UNIPILE)

    row.refresh_from_db()
    assert (row.provider_url, row.provider_key) == (URL, "k3y")
    update_linkedin_account(row, by=user, provider={"account": "acc-2"})
    row.refresh_from_db()
    assert (row.provider_account, row.provider_key) == ("acc-2", "k3y")
    for event in Event.objects.all():
        assert "k3y" not in str(event.data)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"profile_url": "https://example.com/ada"}, "profile_url"),
        ({"daily_limit": 0}, "daily_limit"),
        ({"daily_limit": 1001}, "daily_limit"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"provider": {**UNIPILE, "url": "http://api.example.com"}}, "provider.url"),
        ({"provider": {**UNIPILE, "url": "ftp://api.example.com"}}, "provider.url"),
        ({"provider": {**UNIPILE, "url": "https://me:secret@api.example.com"}}, "provider.url"),
        ({"provider": {**UNIPILE, "account": ""}}, "provider.account"),
        ({"provider": {**UNIPILE, "key": ""}}, "provider.key"),
        ({"provider": {**UNIPILE, "key": "k3y\r\nX-Other: 1"}}, "provider.key"),
        ({"provider": {**UNIPILE, "kind": "acme"}}, "provider.kind"),
        ({"provider": {"url": "https://api.example.com"}}, "provider.kind"),
        ({"provider": {**UNIPILE, "password": "x"}}, "provider"),
    ],
)
def test_a_mistake_is_named_by_its_place(account, user, change, field):
    with pytest.raises(Invalid) as refusal:
        create_linkedin_account(account, by=user, **{**ADA, **change})

    assert list(refusal.value.fields) == [field]
    assert LinkedInAccount.objects.count() == 0


def test_the_owner_is_of_the_same_account(account, user, stranger):
    with pytest.raises(Invalid):
        create_linkedin_account(account, by=user, **ADA, owner=stranger)


def test_a_known_key_is_not_sent_to_another_host(account, user):
    row = create_linkedin_account(account, by=user, **ADA, provider=UNIPILE)

    with pytest.raises(Invalid, match="needs the key again"):
        update_linkedin_account(row, by=user, provider={"url": "https://evil.example.com"})

    assert LinkedInAccount.objects.get().provider_url == URL


def test_without_its_provider_what_was_queued_is_planned_anew(worked, step, user):
    message = step("linkedin_invitation", worked)

    update_linkedin_account(worked, by=user, provider=None)

    message.refresh_from_db()
    worked.refresh_from_db()
    assert (message.state, Enrolment.objects.get().state) == ("cancelled", "waiting")
    assert (worked.provider, worked.provider_url, worked.provider_key) == ("", "", "")


def test_a_new_owner_takes_over_the_tasks_of_the_old_one(account, by_hand, step, user):
    other = UserFactory(account=account)
    message = step("linkedin_invitation", by_hand)

    update_linkedin_account(by_hand, by=user, owner=other)

    message.refresh_from_db()
    assert (message.state, message.assignee) == ("todo", other)


def test_changing_nothing_is_no_event(by_hand, user):
    update_linkedin_account(by_hand, by=user, name=by_hand.name)

    assert events() == []


def test_a_disconnected_account_forgets_its_keys_and_what_waited_in_it(worked, step, user):
    message = step("linkedin_invitation", worked)
    direct = send(worked, to_profile=GRACE, text="Hello", by=user)

    delete_linkedin_account(worked, by=user)

    worked.refresh_from_db()
    assert (worked.provider_key, worked.hook_key) == ("", "")
    assert [Message.objects.get(pk=row.pk).state for row in (message, direct)] == ["cancelled"] * 2
    assert Enrolment.objects.get().state == "waiting"


def test_a_paused_account_keeps_its_people_s_tasks_and_answers_wait(worked, step, user, run):
    queued = step("linkedin_invitation", worked)
    task = step("linkedin_message", worked, state="todo")
    answer = send(worked, to_profile=GRACE, text="Hello", by=user)

    pause_linkedin_account(worked, by=user, reason="holiday")
    pause_linkedin_account(worked, by=user, reason="again")

    states = [Message.objects.get(pk=row.pk).state for row in (queued, task, answer)]
    assert states == ["cancelled", "todo", "queued"]
    assert run() == 0
    assert events().count("linkedin_account.paused") == 1
    assert Notice.objects.count() == 0  # whoever paused it knows
    resume_linkedin_account(worked, by=user)
    assert run() == 1


def test_administrators_hear_of_an_account_without_an_owner(account, user, seller):
    row = LinkedInAccountFactory(account=account)

    pause_linkedin_account(row, by=None, reason="Unipile said 401")

    assert [notice.to for notice in Notice.objects.all()] == [user.email]
