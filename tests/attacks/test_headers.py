"""What answers tell a browser: load nothing, guess nothing, frame nothing, send cookies nowhere else."""

from __future__ import annotations

import pytest

PATHS = [
    "/api/contacts",
    "/api/nothing",
    "/api/openapi.json",
    "/nothing",
    "/admin/login/",
    "/forgotten/",
    "/u/x",
]


@pytest.mark.parametrize("path", [*PATHS, "/api/docs"])
def test_every_answer_carries_the_protecting_headers(client, db, path):
    answer = client.get(path)

    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "default-src" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/api/contacts", "/api/nothing", "/api/openapi.json", "/api/imports/1"])
def test_what_is_no_page_may_load_nothing(client, db, path):
    policy = client.get(path)["Content-Security-Policy"]

    assert policy == "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def test_a_page_that_says_what_went_wrong_loads_its_style_and_nothing_that_runs(client, db):
    policy = client.get("/nothing")["Content-Security-Policy"]

    assert "style-src 'self'" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_an_answer_to_a_key_holder_has_the_policy_too(native):
    assert native.get("/api/contacts")["Content-Security-Policy"].startswith("default-src 'none'")
    assert native.get("/api/exports/contacts")["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_page_of_the_api_runs_its_own_scripts_and_nobody_else_s(client, db):
    rules = dict(
        rule.split(" ", 1) for rule in client.get("/api/docs")["Content-Security-Policy"].split("; ")
    )

    assert rules["script-src"] == "'self' 'unsafe-inline'"
    assert rules["connect-src"] == "'self'"
    assert rules["default-src"] == rules["frame-ancestors"] == "'none'"


def test_no_page_before_the_login_may_evaluate_text(client, db):
    policies = [client.get(path)["Content-Security-Policy"] for path in ("/forgotten/", "/u/x", "/reset/a/b")]

    assert not any("script-src" in policy for policy in policies)


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(client, user):
    user.set_password("correct horse battery")
    user.save()

    client.post("/admin/login/", {"username": user.email, "password": "correct horse battery"})

    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert client.cookies["csrftoken"]["samesite"] == "Lax"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test",
        "javascript:alert(1)",
        "http:evil.test",
        "\t//evil.test",
    ],
)
def test_logging_in_leads_to_no_other_site(client, user, elsewhere):
    user.set_password("correct horse battery")
    user.save()
    form = {"username": user.email, "password": "correct horse battery", "next": elsewhere}

    answer = client.post("/admin/login/", form, QUERY_STRING="")

    assert (answer.status_code, answer.url) == (302, "/admin/")


def test_asking_for_a_new_password_answers_the_same_for_strangers(client, user):
    known = client.post("/forgotten/", {"email": user.email})
    unknown = client.post("/forgotten/", {"email": "nobody@example.com"})

    assert known.status_code == unknown.status_code == 200
    assert known.content.decode().replace(user.email, "x") == unknown.content.decode().replace(
        "nobody@example.com", "x"
    )
