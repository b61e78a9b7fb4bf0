"""Users, fields, tags, the activity feed and the journal over the API."""

import time

from django.utils import timezone

from crm.contacts import create_contact
from crm.models import Field
from pipelime.accounts.models import Account, Notice, User
from pipelime.events.models import Event
from tests.api.moments import in_full
from tests.factories import LeadFactory, UserFactory


def test_inviting_somebody_mails_them_a_link(native):
    answer = native.post("/api/users", {"email": "New@Example.com", "first_name": "New"}, format="json")

    assert answer.status_code == 201
    assert answer.json()["email"] == "new@example.com"
    assert answer.json()["is_admin"] is False
    assert Notice.objects.get().to == "new@example.com"
    assert "password" not in answer.json()


def test_an_address_of_another_account_cannot_be_used_and_nothing_says_whose_it_is(native):
    UserFactory(email="taken@example.com")

    answer = native.post("/api/users", {"email": "taken@example.com"}, format="json")

    assert answer.status_code == 409
    assert "details" not in answer.json()["error"]


def test_a_user_is_disabled_and_enabled_again(native, seller):
    disabled = native.post(f"/api/users/{seller.uid}/disable")
    listed = native.get("/api/users?is_disabled=true").json()["data"]
    enabled = native.post(f"/api/users/{seller.uid}/enable")

    assert disabled.json()["is_disabled"] is True
    assert [row["id"] for row in listed] == [str(seller.uid)]
    assert enabled.json()["is_disabled"] is False


def test_an_invitation_is_mailed_again(native):
    invited = native.post(
        "/api/users", {"email": "new@example.com", "send_mail": False}, format="json"
    ).json()

    answer = native.post(f"/api/users/{invited['id']}/invite")

    assert answer.status_code == 200
    assert answer.json() == invited
    assert Notice.objects.get().to == "new@example.com"


def test_somebody_with_a_password_is_not_invited_again(native, account):
    colleague = UserFactory(account=account, activated_at=timezone.now())

    answer = native.post(f"/api/users/{colleague.uid}/invite")

    assert answer.status_code == 409
    assert not Notice.objects.exists()


def test_the_last_administrator_stays_one(native, user):
    answer = native.patch(f"/api/users/{user.uid}", {"is_admin": False}, format="json")

    assert answer.status_code == 422
    assert User.objects.get(pk=user.pk).is_admin


def test_a_custom_field_is_defined_and_used(native):
    defined = native.post(
        "/api/fields", {"kind": "contact", "name": "Shoe size", "type": "number"}, format="json"
    )
    used = native.post(
        "/api/contacts", {"email": "a@example.com", "custom_fields": {"shoe_size": 42}}, format="json"
    )
    unknown = native.post(
        "/api/contacts", {"email": "b@example.com", "custom_fields": {"hat": 1}}, format="json"
    )

    assert defined.status_code == 201
    assert defined.json()["key"] == "shoe_size"
    assert used.json()["custom_fields"] == {"shoe_size": 42}
    assert unknown.status_code == 422
    assert Field.objects.count() == 1


def test_tags_in_use_are_listed_by_name(native):
    native.post("/api/contacts", {"email": "a@example.com", "tags": ["zebra", "Ant"]}, format="json")

    answer = native.get("/api/tags")

    assert [row["name"] for row in answer.json()["data"]] == ["Ant", "zebra"]


def test_activity_says_who_did_what_to_what_and_when(native, account, user):
    contact = create_contact(
        account, by=user, first_name="Ada", last_name="Lovelace", email="ada@example.com"
    )
    event = Event.objects.get(name="contact.created")

    answer = native.get("/api/activity?name=contact.created")

    assert answer.json()["data"] == [
        {
            "id": str(event.uid),
            "name": "contact.created",
            "at": in_full(event.at),
            "sentence": f"{user.name} added the contact Ada Lovelace",
            "actor": {"id": str(user.uid), "name": user.name},
            "subject": {"type": "contact", "id": str(contact.uid), "title": "Ada Lovelace"},
        }
    ]


def test_activity_hides_leads_that_the_person_may_not_see(client, native, account, user, seller):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    hidden = LeadFactory(account=account, owner=user)
    native.delete(f"/api/leads/{hidden.uid}")
    client.force_login(seller)

    names = [row["name"] for row in client.get("/api/activity").json()["data"]]

    assert "lead.deleted" not in names
    assert "lead.deleted" in [row["name"] for row in native.get("/api/activity").json()["data"]]


def journalled(native, after: int, count: int) -> dict:
    """A page once it is full: on PostgreSQL a transaction of any other database holds the journal up."""
    deadline = time.monotonic() + 20
    while True:
        page = native.get(f"/api/events?after={after}&limit={count}").json()
        if len(page["data"]) == count or time.monotonic() > deadline:
            return page


def test_the_journal_is_followed_by_remembering_one_number(transactional_db, account, native):
    Account.objects.filter(pk=account.pk).update(settings={"requests_per_minute": 0})
    for number in range(3):
        native.post("/api/contacts", {"email": f"a{number}@example.com"}, format="json")

    every = journalled(native, after=0, count=4)
    first = native.get("/api/events?limit=2").json()
    rest = native.get(f"/api/events?after={first['pagination']['after']}").json()
    nothing = native.get(f"/api/events?after={rest['pagination']['after']}").json()

    seen = first["data"] + rest["data"]
    assert [row["name"] for row in seen] == ["api_key.created", *["contact.created"] * 3]
    assert seen == every["data"]
    assert first["pagination"]["has_more"] is True
    assert (nothing["data"], nothing["pagination"]["after"]) == ([], rest["pagination"]["after"])
    positions = [row["position"] for row in seen]
    assert positions == sorted(set(positions))


def test_the_journal_is_for_administrators(client, seller):
    client.force_login(seller)

    assert client.get("/api/events").status_code == 403
