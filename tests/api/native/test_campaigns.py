"""Campaigns as callers of the API see them: making, changing, starting, and what they sent."""

import pytest

from outreach.models import Campaign
from tests.api.moments import in_full
from tests.factories import (
    CampaignFactory,
    EnrolmentFactory,
    LinkedInAccountFactory,
    MailboxFactory,
    MessageFactory,
    SequenceStepFactory,
)

SPRING = {
    "name": "Spring",
    "steps": [
        {"channel": "email", "subject": "Hello {{ first_name }}", "body": "Dear {{ first_name }}\n"},
        {"delay": {"days": 3, "hours": 4}, "subject": "", "body": "Any thoughts?"},
    ],
    "schedule": {
        "time_zone": "Europe/Paris",
        "windows": [{"days": ["mon", "tue"], "from": "09:00", "to": "17:00"}],
        "starts_on": "2030-01-01",
    },
    "daily_limit": 50,
    "settings": {"stop_on_reply": False, "postal_address": "1 Rue du Test"},
}
STATES = (
    "queued", "claimed", "sending", "sent", "failed", "ambiguous", "cancelled", "todo", "skipped",
)  # fmt: skip
NO_MAIL = dict.fromkeys(STATES, 0)
NOBODY = dict.fromkeys(["total", "waiting", "in_flight", "finished", "stopped", "held", "paused"], 0)


def step(number: int, subject: str, body: str, *, days: int = 0, hours: int = 0) -> dict:
    return {
        "number": number,
        "channel": "email",
        "delay": {"days": days, "business_days": 0, "hours": hours},
        "condition": None,
        "subject": subject,
        "body": body,
        "variants": [],
    }


def post(native, path: str, body: dict | None = None):
    return native.post(path, body or {}, format="json")


def details(answer) -> dict:
    assert answer.status_code == 422, answer.content
    return answer.json()["error"]["details"]


@pytest.fixture
def mailbox(account):
    return MailboxFactory(account=account)


def test_a_campaign_is_answered_in_full(native, mailbox):
    answer = post(native, "/api/campaigns", {**SPRING, "email_account_ids": [str(mailbox.uid)]})

    campaign = Campaign.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(campaign.uid),
        "name": "Spring",
        "status": "DRAFT",
        "steps": [
            step(1, "Hello {{ first_name }}", "Dear {{ first_name }}\n"),
            step(2, "", "Any thoughts?", days=3, hours=4),
        ],
        "schedule": {
            **SPRING["schedule"],
            "ends_on": None,
            "window_zone": "campaign",
            "holidays": "",
        },
        "email_account_ids": [str(mailbox.uid)],
        "linkedin_account_ids": [],
        "daily_limit": 50,
        "settings": {
            "stop_on_reply": False,
            "stop_on_company_reply": False,
            "track_opens": False,
            "track_clicks": False,
            "priority": "follow_ups",
            "postal_address": "1 Rue du Test",
            "allow_in_other_campaigns": False,
        },
        "counts": {"contacts": NOBODY, "messages": NO_MAIL},
        "started_at": None,
        "finished_at": None,
        "created_at": in_full(campaign.created_at),
        "updated_at": in_full(campaign.updated_at),
    }
    assert native.get(f"/api/campaigns/{campaign.uid}").json() == answer.json()


def test_a_campaign_read_and_sent_back_stays_as_it_is(native, mailbox):
    variants = [{"subject": "One", "body": "1"}, {"weight": 3, "subject": "Two", "body": "2"}]
    body = {**SPRING, "steps": [{"variants": variants}], "email_account_ids": [str(mailbox.uid)]}
    made = post(native, "/api/campaigns", body).json()
    own = (
        "name",
        "steps",
        "schedule",
        "email_account_ids",
        "linkedin_account_ids",
        "daily_limit",
        "settings",
    )

    answer = native.patch(f"/api/campaigns/{made['id']}", {name: made[name] for name in own}, format="json")

    assert {name: answer.json()[name] for name in own} == {name: made[name] for name in own}
    assert [variant["weight"] for variant in made["steps"][0]["variants"]] == [1, 3]


def test_a_change_leaves_what_it_does_not_name(native):
    made = post(native, "/api/campaigns", SPRING).json()

    answer = native.patch(f"/api/campaigns/{made['id']}", {"name": "Summer"}, format="json")

    assert answer.json() == {**made, "name": "Summer", "updated_at": answer.json()["updated_at"]}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"steps": [{"chanel": "email"}]}, "steps.0.chanel"),
        ({"steps": [{"channel": "fax"}]}, "steps.0.channel"),
        ({"steps": [{"delay": {"weeks": 1}}]}, "steps.0.delay.weeks"),
        ({"steps": [{"delay": {"days": 9999}}]}, "steps[0]"),
        ({"steps": [{"body": "{{ first_name"}]}, "steps[0]"),
        ({"steps": [{"subject": "A", "variants": [{"subject": "B", "body": "b"}]}]}, "steps.0.subject"),
        ({"schedule": {"time_zone": "Mars/Olympus"}}, "schedule"),
        (
            {"schedule": {"windows": [{"days": ["someday"], "from": "1", "to": "2"}]}},
            "schedule.windows.0.days.0",
        ),
        ({"schedule": {"windows": [{"days": ["mon"], "from": "9", "to": "17:00"}]}}, "schedule"),
        ({"settings": {"stop_on_repl": True}}, "settings.stop_on_repl"),
        ({"steps": [{"condition": "opened"}]}, "steps.0.condition"),
        ({"steps": [{"channel": "linkedin_invitation", "body": "x" * 301}]}, "steps[0]"),
        ({"schedule": {"holidays": "Gondor"}}, "schedule"),
        ({"schedule": {"window_zone": "moon"}}, "schedule.window_zone"),
        ({"settings": {"priority": "me"}}, "settings.priority"),
        ({"linkedin_account_ids": ["00000000-0000-7000-8000-000000000000"]}, "linkedin_account_ids.0"),
        ({"daily_limit": 0}, "daily_limit"),
        ({"email_account_ids": ["00000000-0000-7000-8000-000000000000"]}, "email_account_ids.0"),
    ],
)
def test_a_mistake_is_named_by_its_place(native, change, field):
    answer = post(native, "/api/campaigns", {**SPRING, **change})

    assert list(details(answer)) == [field]
    assert Campaign.objects.count() == 0


def test_another_account_s_mailbox_looks_like_none(native, stranger):
    theirs = str(MailboxFactory(account=stranger.account).uid)

    answer = post(native, "/api/campaigns", {**SPRING, "email_account_ids": [theirs]})

    assert details(answer) == {"email_account_ids.0": [f"There is no e-mail account with the id '{theirs}'"]}


def test_a_disconnected_mailbox_is_not_shown_any_more(native, mailbox):
    made = post(native, "/api/campaigns", {**SPRING, "email_account_ids": [str(mailbox.uid)]}).json()

    native.delete(f"/api/email-accounts/{mailbox.uid}")

    assert native.get(f"/api/campaigns/{made['id']}").json()["email_account_ids"] == []


def test_a_campaign_that_is_not_ready_says_everything_that_is_missing(native, account):
    campaign = CampaignFactory(account=account)

    answer = post(native, f"/api/campaigns/{campaign.uid}/start")

    assert details(answer) == {
        "campaign": [
            "It has no steps: write at least one.",
            "It has no mailbox to send from: choose at least one.",
        ]
    }


def test_a_campaign_starts_pauses_and_goes_on(native, mailbox):
    made = post(native, "/api/campaigns", {**SPRING, "email_account_ids": [str(mailbox.uid)]}).json()
    path = f"/api/campaigns/{made['id']}"

    statuses = [post(native, f"{path}/{verb}").json()["status"] for verb in ("start", "pause", "start")]

    assert statuses == ["STARTED", "PAUSED", "STARTED"]


def test_a_draft_cannot_be_paused(native, account):
    answer = post(native, f"/api/campaigns/{CampaignFactory(account=account).uid}/pause")

    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith("This campaign is draft")
    assert Campaign.objects.get().status == "DRAFT"


def test_a_deleted_campaign_is_gone_from_the_list(native, account):
    campaign = CampaignFactory(account=account)

    answer = native.delete(f"/api/campaigns/{campaign.uid}")

    assert answer.status_code == 204
    assert native.get("/api/campaigns").json()["data"] == []
    assert native.get(f"/api/campaigns/{campaign.uid}").status_code == 404


def test_campaigns_are_found_by_status_name_and_mailbox(native, account, mailbox):
    spring = CampaignFactory(account=account, name="Spring sale", status="STARTED")
    CampaignFactory(account=account, name="Autumn")
    spring.mailboxes.add(mailbox)

    found = [
        [row["name"] for row in native.get(f"/api/campaigns?{query}").json()["data"]]
        for query in (
            "status=STARTED,PAUSED",
            "name=SPRING",
            f"email_account={mailbox.uid}",
            "status=FINISHED",
        )
    ]

    assert found == [["Spring sale"], ["Spring sale"], ["Spring sale"], []]


def test_the_counts_tell_how_many_are_to_settle(native, account):
    campaign = SequenceStepFactory(account=account).campaign
    MessageFactory(account=account, campaign=campaign, enrolment__campaign=campaign, state="ambiguous")
    MessageFactory(account=account, campaign=campaign, enrolment__campaign=campaign, state="sent")

    counts = native.get(f"/api/campaigns/{campaign.uid}").json()["counts"]

    assert counts["messages"] == {**NO_MAIL, "ambiguous": 1, "sent": 1}
    assert counts["contacts"] == {**NOBODY, "total": 2, "waiting": 2}


def test_a_campaign_lists_its_own_messages_by_status(native, account):
    sent = MessageFactory(account=account, state="sent")
    MessageFactory(account=account, campaign=sent.campaign, enrolment__campaign=sent.campaign, state="failed")
    MessageFactory(account=account, state="sent")

    answer = native.get(f"/api/campaigns/{sent.campaign.uid}/messages?status=sent&order=id&limit=10")

    assert [row["id"] for row in answer.json()["data"]] == [str(sent.uid)]


def test_steps_of_every_channel_and_senders_of_both_kinds_are_kept(native, account, mailbox):
    profile = LinkedInAccountFactory(account=account)
    steps = [
        {"channel": "linkedin_invitation"},
        {"channel": "linkedin_message", "condition": "connected", "delay": {"days": 1}, "body": "Thank you"},
        {"channel": "call", "delay": {"business_days": 2}, "subject": "Call", "body": "Ask about spring"},
        {"channel": "task", "delay": {"hours": 3}, "subject": "Send the brochure"},
    ]

    answer = post(
        native, "/api/campaigns", {**SPRING, "steps": steps, "linkedin_account_ids": [str(profile.uid)]}
    )

    shown = answer.json()
    assert [step["channel"] for step in shown["steps"]] == [step["channel"] for step in steps]
    assert [step["condition"] for step in shown["steps"]] == [None, "connected", None, None]
    assert shown["linkedin_account_ids"] == [str(profile.uid)]
    assert native.get(f"/api/campaigns/{shown['id']}").json() == shown


def test_a_check_tells_problems_and_warnings_without_starting(native, account, mailbox):
    made = post(native, "/api/campaigns", {"name": "Spring", "template_id": "introduction"}).json()

    answer = native.get(f"/api/campaigns/{made['id']}/check").json()

    assert answer["problems"] == ["It has no mailbox to send from: choose at least one."]
    assert answer["warnings"][0] == (
        "Step 1 still says [In one sentence: what you make easier, and for whom.]: write what belongs there."
    )


def test_a_copy_is_a_draft_like_its_original_with_nobody_in_it(native, account, mailbox):
    made = post(native, "/api/campaigns", {**SPRING, "email_account_ids": [str(mailbox.uid)]}).json()
    post(native, f"/api/campaigns/{made['id']}/start")
    EnrolmentFactory(account=account, campaign=Campaign.objects.get())

    answer = post(native, f"/api/campaigns/{made['id']}/clone", {"name": "Spring again"})

    copied = answer.json()
    own = ("steps", "schedule", "email_account_ids", "daily_limit", "settings")
    assert (answer.status_code, copied["name"], copied["status"]) == (201, "Spring again", "DRAFT")
    assert {name: copied[name] for name in own} == {name: made[name] for name in own}
    assert copied["counts"]["contacts"]["total"] == 0


def test_a_template_is_listed_apart_and_makes_campaigns(native, mailbox):
    made = post(native, "/api/campaigns", {**SPRING, "email_account_ids": [str(mailbox.uid)]}).json()
    template = post(native, f"/api/campaigns/{made['id']}/save-as-template", {"name": "Our way"}).json()

    listed = native.get("/api/campaign-templates").json()["data"]
    body = {"template_id": template["id"], "name": "Autumn", "settings": {"track_clicks": True}}
    answer = post(native, "/api/campaigns", body).json()

    assert [row["name"] for row in listed] == ["Our way"]
    assert template["schedule"]["starts_on"] is None
    assert len(native.get("/api/campaigns").json()["data"]) == 2
    assert (answer["name"], answer["steps"], answer["email_account_ids"]) == (
        "Autumn", made["steps"], made["email_account_ids"],
    )  # fmt: skip
    assert answer["settings"] == {**made["settings"], "track_clicks": True}


def test_a_deleted_template_leaves_what_was_made_of_it(native, account):
    template = CampaignFactory(account=account, is_template=True)
    post(native, "/api/campaigns", {"template_id": str(template.uid)})

    answer = native.delete(f"/api/campaign-templates/{template.uid}")

    assert answer.status_code == 204
    assert native.get("/api/campaign-templates").json()["data"] == []
    assert [row["name"] for row in native.get("/api/campaigns").json()["data"]] == [template.name]
    assert post(native, "/api/campaigns", {"template_id": str(template.uid)}).status_code == 404


def test_another_account_s_template_looks_like_none(native, stranger):
    theirs = CampaignFactory(account=stranger.account, is_template=True)

    assert post(native, "/api/campaigns", {"template_id": str(theirs.uid)}).status_code == 404


def test_starters_are_offered_to_everybody(native):
    starters = native.get("/api/campaign-templates/starters").json()["data"]

    assert [one["id"] for one in starters] == ["introduction", "linkedin-then-mail", "event-follow-up"]
    for one in starters:
        assert post(native, "/api/campaigns", {"template_id": one["id"]}).json()["name"] == one["name"]
