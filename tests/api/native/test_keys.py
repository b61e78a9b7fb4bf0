"""API keys over the API: shown once, no stronger than who makes them, disabled and revoked."""

import pytest

from pipelime.accounts.keys import create_key
from pipelime.accounts.models import ApiKey
from tests.api.dialects import DIALECTS
from tests.api.moments import in_full
from tests.factories import ApiKeyFactory

[NATIVE] = [dialect for dialect in DIALECTS.values() if dialect.name == "native"]


def post(native, body: dict, path: str = ""):
    return native.post(f"/api/api-keys{path}", body, format="json")


def test_a_key_is_shown_once_and_works(native, account):
    answer = post(native, {"name": "ERP", "scopes": ["contacts:read"], "expires_at": "2999-01-01T00:00:00Z"})

    key = ApiKey.objects.get(name="ERP")
    raw = answer.json()["key"]
    shown = {
        "id": str(key.uid),
        "name": "ERP",
        "prefix": f"ki_{key.lookup}",
        "scopes": ["contacts:read"],
        "is_disabled": False,
        "expires_at": "2999-01-01T00:00:00Z",
        "last_used_at": None,
        "created_by": None,
        "created_at": in_full(key.created_at),
    }
    assert answer.status_code == 201
    assert answer.json() == {**shown, "key": raw}
    assert native.get(f"/api/api-keys/{key.uid}").json() == shown
    assert raw.startswith(shown["prefix"])
    assert raw.encode() not in native.get("/api/api-keys").content
    assert NATIVE.client(raw).get("/api/contacts").status_code == 200


def test_a_key_made_in_a_session_names_its_maker(browser, user):
    answer = browser.post("/api/api-keys", {"name": "ERP", "scopes": ["*"]}, content_type="application/json")

    assert answer.json()["created_by"] == {"id": str(user.uid), "name": user.name, "email": user.email}


@pytest.mark.parametrize(
    ("own", "asked", "status"),
    [
        (["api-keys:write", "contacts:*"], ["contacts:read"], 201),
        (["api-keys:*"], ["*"], 403),
        (["api-keys:write", "contacts:read"], ["contacts:write"], 403),
        (["*"], ["contacts:*"], 201),
    ],
)
def test_a_key_gives_no_more_than_it_holds(account, own, asked, status):
    raw = create_key(account, name="maker", scopes=own, by=None)[1]

    answer = post(NATIVE.client(raw), {"name": "made", "scopes": asked})

    assert answer.status_code == status
    assert ApiKey.objects.filter(name="made").count() == (1 if status == 201 else 0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "ERP"}, "scopes"),
        ({"name": "ERP", "scopes": []}, "scopes"),
        ({"name": "ERP", "scopes": ["contacts:eat"]}, "scopes"),
        ({"name": " ", "scopes": ["*"]}, "name"),
        ({"name": "ERP", "scopes": ["*"], "expires_at": "2000-01-01T00:00:00Z"}, "expires_at"),
    ],
)
def test_a_mistake_is_named_by_its_field(native, body, field):
    answer = post(native, body)

    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]) == [field]


@pytest.mark.parametrize("way", ["patch", "actions"])
def test_a_key_is_disabled_and_enabled_again(native, account, user, way):
    key, raw = create_key(account, name="ERP", scopes=["*"], by=user)
    other = NATIVE.client(raw)

    def switch(is_disabled: bool):
        if way == "patch":
            return native.patch(f"/api/api-keys/{key.uid}", {"is_disabled": is_disabled}, format="json")
        return post(native, {}, f"/{key.uid}/{'disable' if is_disabled else 'enable'}")

    seen = [
        (switch(state).json()["is_disabled"], other.get("/api/contacts").status_code)
        for state in (True, False)
    ]

    assert seen == [(True, 401), (False, 200)]


def test_a_revoked_key_is_gone(native, account, user):
    key, raw = create_key(account, name="ERP", scopes=["*"], by=user)

    assert native.delete(f"/api/api-keys/{key.uid}").status_code == 204

    assert NATIVE.client(raw).get("/api/contacts").status_code == 401
    assert not ApiKey.objects.filter(name="ERP").exists()


def test_keys_are_listed_by_their_last_use(native, account):
    ApiKeyFactory(account=account, name="never")
    ApiKeyFactory(account=account, name="long ago", last_used_at="2020-01-01T00:00:00Z")
    native.get("/api/contacts")

    rows = native.get("/api/api-keys?order=-last_used_at").json()["data"]

    assert [row["name"] for row in rows] == ["tests", "long ago", "never"]


def test_only_administrators_see_keys(client, seller):
    client.force_login(seller)

    assert client.get("/api/api-keys").status_code == 403
