"""LinkedIn accounts over the API; their keys never come back."""

from __future__ import annotations

from outreach.linkedin.hooks import hook_url
from outreach.models import LinkedInAccount
from pipelime.accounts.keys import create_key
from tests.api.moments import in_full
from tests.factories import LinkedInAccountFactory

ADA = {"name": "Ada Lovelace", "profile_url": "https://www.linkedin.com/in/ada", "daily_limit": 15}
PROVIDER = {"kind": "unipile", "url": "https://api8.unipile.com:13851", "account": "acc-1"}


def post(native, body: dict, path: str = ""):
    return native.post(f"/api/linkedin-accounts{path}", body, format="json")


def test_a_linkedin_account_is_answered_in_full_but_for_its_key(native):
    answer = post(native, {**ADA, "provider": {**PROVIDER, "key": "s3cret"}})

    account = LinkedInAccount.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(account.uid),
        **ADA,
        "owner": None,
        "time_zone": "",
        "provider": PROVIDER,
        "is_paused": False,
        "pause_reason": "",
        "paused_at": None,
        "created_at": in_full(account.created_at),
        "updated_at": in_full(account.updated_at),
    }
    assert account.provider_key == "s3cret"
    for read in (native.get("/api/linkedin-accounts"), native.get(f"/api/linkedin-accounts/{account.uid}")):
        assert b"s3cret" not in read.content


def test_a_mistake_in_the_provider_is_named_by_its_place(native):
    answer = post(native, {**ADA, "provider": {**PROVIDER, "url": "http://example.com", "key": "s3cret"}})

    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]) == ["provider.url"]
    assert b"s3cret" not in answer.content


def test_a_profile_that_is_connected_is_a_conflict(native, account):
    known = LinkedInAccountFactory(account=account, profile_url=ADA["profile_url"])

    answer = post(native, ADA)

    assert answer.status_code == 409
    assert answer.json()["error"]["details"] == {"existing_id": [str(known.uid)]}


def test_it_is_changed_paused_resumed_and_disconnected(native, account, user):
    path = f"/api/linkedin-accounts/{LinkedInAccountFactory(account=account).uid}"

    changed = native.patch(path, {"daily_limit": 5, "owner_id": str(user.uid)}, format="json").json()
    paused = native.post(f"{path}/pause", {"reason": "holiday"}, format="json").json()
    listed = native.get("/api/linkedin-accounts?is_paused=true").json()["data"]
    resumed = native.post(f"{path}/resume").json()
    gone = native.delete(path)

    assert (changed["daily_limit"], changed["owner"]["id"]) == (5, str(user.uid))
    assert (paused["is_paused"], paused["pause_reason"]) == (True, "holiday")
    assert [row["id"] for row in listed] == [paused["id"]]
    assert (resumed["is_paused"], resumed["pause_reason"]) == (False, "")
    assert gone.status_code == 204
    assert native.get(path).status_code == 404


def test_only_administrators_see_the_address_for_webhooks(native, client, account, seller):
    row = LinkedInAccountFactory(account=account, hook_key="hook")
    path = f"/api/linkedin-accounts/{row.uid}/hook"

    assert native.get(path).json() == {"url": hook_url(row)}
    client.force_login(seller)
    refused = client.get(path)
    assert refused.status_code == 403
    assert b"inbound" not in refused.content


def test_a_key_for_campaigns_does_not_open_linkedin_accounts(account, user, client):
    raw = create_key(account, name="tests", scopes=["campaigns:*"], by=user)[1]

    assert client.get("/api/linkedin-accounts", headers={"Authorization": f"Bearer {raw}"}).status_code == 403
