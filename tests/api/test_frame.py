"""What every request goes through: credentials, rights, bodies, and errors in one shape."""

import time_machine
from django.utils import timezone

from crm.models import Contact
from pipelime.accounts.keys import create_key, disable_key, revoke_key
from pipelime.accounts.models import Account, ApiKey
from pipelime.api.native import contacts
from pipelime.scope import account_scope, current_account_id
from tests.api.dialects import DIALECTS
from tests.factories import ContactFactory, LeadFactory

[NATIVE] = [dialect for dialect in DIALECTS.values() if dialect.name == "native"]


def error(answer) -> dict:
    return answer.json()["error"]


def test_without_credentials_the_answer_says_what_to_send(client, db):
    answer = client.get("/api/contacts")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert error(answer) == {
        "code": "UNAUTHORIZED",
        "message": "Send an API key as 'Authorization: Bearer ki_…', or log in",
    }


def test_a_disabled_key_says_so(native, user):
    key = ApiKey.objects.get()
    disable_key(key, by=user)

    answer = native.get("/api/contacts")

    assert answer.status_code == 401
    assert error(answer)["message"] == f"The API key {key.prefix}… is disabled"


def test_a_revoked_key_is_refused_on_the_next_request(native, user):
    assert native.get("/api/contacts").status_code == 200

    revoke_key(ApiKey.objects.get(), by=user)

    assert native.get("/api/contacts").status_code == 401


def test_an_expired_key_says_when_it_expired(account, user):
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False):
        expires = timezone.now() + timezone.timedelta(hours=1)
        raw = create_key(account, name="short", scopes=["*"], by=user, expires_at=expires)[1]

    with time_machine.travel("2030-01-01T02:00:00Z", tick=False):
        answer = NATIVE.client(raw).get("/api/contacts")

    assert answer.status_code == 401
    assert "expired at 2030-01-01T01:00:00Z" in error(answer)["message"]


def test_a_header_of_another_scheme_is_refused_and_not_ignored(browser):
    answer = browser.get("/api/contacts", headers={"Authorization": "Token abc"})

    assert answer.status_code == 401


def test_the_last_use_of_a_key_is_remembered(native):
    native.get("/api/contacts")

    assert ApiKey.objects.get().last_used_at is not None


def test_a_missing_scope_is_named(account, user):
    raw = create_key(account, name="reader", scopes=["contacts:read"], by=user)[1]

    answer = NATIVE.client(raw).post("/api/contacts", {"email": "a@example.com"}, format="json")

    assert answer.status_code == 403
    assert error(answer) == {
        "code": "FORBIDDEN",
        "message": "This needs the scope contacts:write; the key has contacts:read",
    }
    assert Contact.objects.count() == 0


def test_a_session_reads(browser, account):
    contact = ContactFactory(account=account)

    answer = browser.get("/api/contacts")

    assert [row["id"] for row in answer.json()["data"]] == [str(contact.uid)]


def test_a_session_writes_only_with_the_csrf_token(account, user):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    client.cookies["csrftoken"] = "a" * 32
    body = {"email": "a@example.com"}

    without = client.post("/api/contacts", body, content_type="application/json")
    with_token = client.post(
        "/api/contacts", body, content_type="application/json", headers={"X-CSRFToken": "a" * 32}
    )

    assert (without.status_code, error(without)["code"]) == (403, "FORBIDDEN")
    assert with_token.status_code == 201


def test_a_disabled_user_s_session_is_worth_nothing(browser, user):
    user.disabled_at = timezone.now()
    user.save(update_fields=["disabled_at"])

    assert browser.get("/api/contacts").status_code == 401


def test_a_person_sees_only_the_leads_that_the_account_lets_them_see(client, account, seller, user):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    own = LeadFactory(account=account, owner=seller)
    LeadFactory(account=account, owner=user)
    client.force_login(seller)

    answer = client.get("/api/leads")

    assert [row["id"] for row in answer.json()["data"]] == [str(own.uid)]


def test_only_administrators_manage_users(client, account, seller):
    client.force_login(seller)

    answer = client.post("/api/users", {"email": "new@example.com"}, content_type="application/json")

    assert answer.status_code == 403
    assert error(answer)["message"] == "Only administrators of the account may do this"


def test_unknown_paths_answer_in_the_same_shape(client, db):
    answer = client.post("/api/no/such/thing")

    assert answer.status_code == 404
    assert error(answer)["code"] == "NOT_FOUND"


def test_an_id_that_is_none_is_not_found(native):
    answer = native.get("/api/contacts/seven")

    assert answer.status_code == 404
    assert error(answer) == {"code": "NOT_FOUND", "message": "Contact not found"}


def test_a_method_that_a_path_lacks_is_405_with_the_ones_it_has(native):
    answer = native.put("/api/contacts", {}, format="json")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert error(answer)["code"] == "METHOD_NOT_ALLOWED"


def test_another_media_type_is_415_and_an_unacceptable_one_406(native):
    unsupported = native.post("/api/contacts", b"<a/>", content_type="text/xml")
    unacceptable = native.get("/api/contacts", headers={"Accept": "text/xml"})

    assert (unsupported.status_code, error(unsupported)["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert (unacceptable.status_code, error(unacceptable)["code"]) == (406, "NOT_ACCEPTABLE")


def post_raw(native, raw: bytes):
    return native.post("/api/contacts", raw, content_type="application/json")


def test_bodies_that_are_no_honest_json_are_422(native):
    bodies = {
        b'{"a":': "no JSON",
        b'{"phone": NaN}': "no JSON",
        b'{"phone": "1", "phone": "2"}': "given twice",
        b'{"phone": "a\\u0000b"}': "NUL",
        b"[" * 40 + b"]" * 40: "nested deeper",
        b'"text"': "Send a JSON object",
        b"\xff\xfe": "no JSON",
    }

    answers = {raw: post_raw(native, raw) for raw in bodies}

    for raw, words in bodies.items():
        assert answers[raw].status_code == 422
        assert error(answers[raw])["code"] == "VALIDATION_ERROR"
        assert words in error(answers[raw])["message"]


def test_a_body_that_is_too_large_is_413(native, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    answer = post_raw(native, b'{"phone": "' + b"1" * 100 + b'"}')

    assert answer.status_code == 413
    assert error(answer)["code"] == "PAYLOAD_TOO_LARGE"


def test_unknown_fields_and_parameters_are_refused_by_name(native):
    body = native.post("/api/contacts", {"emial": "a@example.com"}, format="json")
    parameter = native.get("/api/contacts?serch=ada")
    elsewhere = native.get("/api/contacts/00000000-0000-7000-8000-000000000000?expand=1")

    assert error(body)["details"] == {"emial": ["is no field here; did you mean email?"]}
    assert error(parameter)["details"] == {"serch": ["is no parameter here; did you mean search?"]}
    assert error(elsewhere)["details"] == {"expand": ["is no parameter here; none is taken"]}


def test_what_breaks_on_our_side_is_500_without_its_secrets(native, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(contacts, "create_contact", broken)

    answer = native.post("/api/contacts", {"email": "a@example.com"}, format="json")

    assert answer.status_code == 500
    assert error(answer)["code"] == "INTERNAL_ERROR"
    assert "swordfish" not in answer.content.decode()
    assert answer.headers["X-Request-Id"]


def test_the_scope_is_closed_again_whatever_happened(native, account, monkeypatch):
    seen = []

    def broken(*args, **kwargs):
        seen.append(current_account_id())
        raise RuntimeError

    monkeypatch.setattr(contacts, "create_contact", broken)
    with account_scope(account.pk + 1000):
        native.post("/api/contacts", {"email": "a@example.com"}, format="json")
        after = current_account_id()

    assert seen == [account.pk]
    assert after == account.pk + 1000
