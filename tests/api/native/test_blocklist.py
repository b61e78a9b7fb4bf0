"""The blocklist over the API, one by one and in bulk."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from outreach.models import BlocklistEntry
from tests.api.moments import in_full

BULK = "/api/blocklist/bulk"


def values() -> set[str]:
    return set(BlocklistEntry.objects.values_list("value", flat=True))


def test_an_address_and_a_domain_are_told_apart(native):
    answers = [
        native.post("/api/blocklist", body, format="json")
        for body in ({"value": "Joe@Example.com", "reason": "asked"}, {"value": "example.org"})
    ]

    entry = BlocklistEntry.objects.get(kind="email")
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == {
        "id": str(entry.uid),
        "value": "joe@example.com",
        "kind": "email",
        "reason": "asked",
        "created_at": in_full(entry.created_at),
    }
    assert (answers[1].json()["value"], answers[1].json()["kind"]) == ("example.org", "domain")


def test_what_is_blocked_already_is_a_conflict(native):
    first = native.post("/api/blocklist", {"value": "example.org"}, format="json").json()

    answer = native.post("/api/blocklist", {"value": "EXAMPLE.ORG"}, format="json")

    assert answer.status_code == 409
    assert answer.json()["error"]["details"] == {"existing_id": [first["id"]]}


def test_neither_an_address_nor_a_domain_is_refused(native):
    answer = native.post("/api/blocklist", {"value": "two words"}, format="json")

    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]) == ["value"]


def test_unblocking_removes_the_entry(native):
    made = native.post("/api/blocklist", {"value": "example.org"}, format="json").json()

    answer = native.delete(f"/api/blocklist/{made['id']}")

    assert answer.status_code == 204
    assert values() == set()


def test_entries_are_found_by_kind_and_by_part_of_their_value(native):
    for value in ("joe@example.com", "example.com", "other.org"):
        native.post("/api/blocklist", {"value": value}, format="json")

    def found(query: str) -> list[str]:
        return [row["value"] for row in native.get(f"/api/blocklist?order=value&{query}").json()["data"]]

    assert found("kind=domain") == ["example.com", "other.org"]
    assert found("search=EXAMPLE") == ["example.com", "joe@example.com"]
    assert found("value=Example.com") == ["example.com"]


def test_many_values_are_each_judged_by_themselves(native):
    body = {"values": ["a@example.com", "", "two words", "A@example.com", "example.org"], "reason": "list"}

    answer = native.post(BULK, body, format="json")

    assert answer.status_code == 200
    assert (answer.json()["added"], answer.json()["known"]) == (2, 1)
    assert [(row["line"], row["value"]) for row in answer.json()["invalid"]] == [(3, "two words")]
    assert values() == {"a@example.com", "example.org"}
    assert set(BlocklistEntry.objects.values_list("reason", flat=True)) == {"list"}


@pytest.mark.parametrize(
    "raw",
    [
        b"a@example.com\r\nexample.org\r\n",
        b"\xef\xbb\xbfEmail;Why\r\na@example.com;no\r\nexample.org;no",
        b'email,note\n"a@example.com","M\xfcller, no"\nexample.org,x\n',
    ],
)
def test_a_csv_body_and_a_csv_file_hold_a_value_a_line(native, raw):
    file = SimpleUploadedFile("blocked.csv", raw, content_type="text/csv")

    body = native.post(BULK, raw, content_type="text/csv")
    upload = native.post(BULK, {"file": file, "reason": "file"}, format="multipart")

    assert body.json() == {"added": 2, "known": 0, "invalid": []}
    assert upload.json() == {"added": 0, "known": 2, "invalid": []}
    assert values() == {"a@example.com", "example.org"}


def test_a_line_that_is_wrong_is_named_by_its_number_in_the_file(native):
    answer = native.post(BULK, b"value\nexample.org\n\nnot one\n", content_type="text/csv")

    assert [(row["line"], row["value"]) for row in answer.json()["invalid"]] == [(4, "not one")]


@pytest.mark.parametrize("body", [{}, {"values": []}, {"values": [" "]}, {"values": "example.org"}])
def test_a_bulk_of_nothing_is_refused(native, body):
    answer = native.post(BULK, body, format="json")

    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]) == ["values"]


def test_too_many_at_once_are_refused_before_any_is_blocked(native):
    raw = b"\n".join(b"a%d@example.com" % number for number in range(10_001))

    answer = native.post(BULK, raw, content_type="text/csv")

    assert answer.status_code == 422
    assert "10000" in answer.json()["error"]["message"]
    assert values() == set()


def test_a_line_without_end_is_refused_like_any_other(native):
    answer = native.post(BULK, b'example.org\n"' + b"a" * 200_000, content_type="text/csv")

    assert answer.status_code == 200
    assert (answer.json()["added"], [row["line"] for row in answer.json()["invalid"]]) == (1, [2])
