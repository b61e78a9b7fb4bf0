"""The vendor's frame: mounts, credentials, scopes, pages, and errors in its words."""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from pipelime.accounts.keys import create_key
from pipelime.accounts.models import Account
from tests.factories import MailboxFactory

PATHS = ["campaigns", "leads", "senders", "inbox/conversations", "credits"]


@pytest.mark.parametrize("mount", ["/api/v1", "/v1"])
@pytest.mark.parametrize("path", PATHS)
def test_every_list_answers_at_both_mounts(sendpilot, mount, path):
    assert sendpilot.get(f"{mount}/{path}").status_code == 200


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "API key is required. Send it in the X-API-Key header"),
        ({"X-API-Key": "abc"}, "This API key is unknown or was revoked"),
    ],
)
def test_without_a_good_key_nothing_is_shown(db, headers, message):
    answer = APIClient(headers=headers).get("/api/v1/campaigns")

    assert answer.status_code == 401
    assert answer.json() == {"statusCode": 401, "message": message, "error": "Unauthorized"}


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("leads:*", "campaigns"),
        ("campaigns:*", "leads"),
        ("leads:*", "senders"),
        ("leads:*", "inbox/conversations"),
    ],
)
def test_a_key_without_the_scope_is_forbidden(account, user, scope, path):
    raw = create_key(account, name="tests", scopes=[scope], by=user)[1]

    answer = APIClient(headers={"X-API-Key": raw}).get(f"/api/v1/{path}")

    assert answer.status_code == 403
    assert (answer.json()["statusCode"], answer.json()["error"]) == (403, "Forbidden")


def test_a_reading_key_may_not_write(account, user, campaign):
    raw = create_key(account, name="tests", scopes=["campaigns:read"], by=user)[1]

    answer = APIClient(headers={"X-API-Key": raw}).patch(
        f"/api/v1/campaigns/camp_{campaign.uid.hex}", {"action": "pause"}, format="json"
    )

    assert answer.status_code == 403


def test_a_suspended_account_is_forbidden(sendpilot, account):
    Account.objects.filter(pk=account.pk).update(suspended_at=timezone.now())

    answer = sendpilot.get("/api/v1/campaigns")

    assert answer.json() == {"statusCode": 403, "message": "This account is suspended", "error": "Forbidden"}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("campaigns/camp_1", "Campaign not found"),
        ("campaigns/lead_01890000000070008000000000000000", "Campaign not found"),
        ("leads/lead_01890000000070008000000000000000", "Lead not found"),
        ("nothing", "Cannot GET /api/v1/nothing"),
    ],
)
def test_what_is_not_there_is_named(sendpilot, path, message):
    answer = sendpilot.get(f"/api/v1/{path}")

    assert answer.status_code == 404
    assert answer.json() == {"statusCode": 404, "message": message, "error": "Not Found"}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=101", "limit must not be greater than 100"),
        ("limit=0", "limit must be a whole number of at least 1"),
        ("page=x", "page must be a whole number of at least 1"),
    ],
)
def test_pages_are_numbered_from_one_and_hold_at_most_a_hundred(sendpilot, query, message):
    answer = sendpilot.get(f"/api/v1/campaigns?{query}")

    assert answer.json() == {"statusCode": 400, "message": message, "error": "Bad Request"}


def test_a_body_that_is_no_json_is_a_bad_request(sendpilot, campaign):
    answer = sendpilot.patch(
        f"/api/v1/campaigns/camp_{campaign.uid.hex}", "{", content_type="application/json"
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "Bad Request")


def test_credits_are_plenty(sendpilot):
    answer = sendpilot.get("/v1/credits").json()

    assert answer == {
        "globalCredits": {"balance": 1_000_000_000, "used": 0, "remaining": 1_000_000_000},
        "leadDatabase": {"quota": 1_000_000_000, "used": 0, "remaining": 1_000_000_000},
    }


def test_senders_are_linkedin_accounts_and_then_mailboxes(sendpilot, account, sender):
    mailbox = MailboxFactory(account=account, name="Sam", email="sam@example.com")

    answer = sendpilot.get("/v1/senders").json()

    assert answer == {
        "senders": [
            {
                "id": f"sender_{sender.uid.hex}",
                "name": "Jane Smith",
                "profileUrl": sender.profile_url,
                "status": "active",
                "type": "linkedin",
            },
            {
                "id": f"sender_{mailbox.uid.hex}",
                "name": "Sam",
                "profileUrl": None,
                "status": "active",
                "type": "email",
                "email": "sam@example.com",
            },
        ],
        "pagination": {"total": 2, "page": 1, "limit": 50, "totalPages": 1},
    }
