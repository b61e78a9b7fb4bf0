"""A bad setting stops the start with a sentence that says what would work."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from pipelime import environment

KEY = "A" * 43  # 32 bytes in base64url without padding
OTHER = "B" * 42 + "A"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("1", True),
        ("true", True),
        ("On", True),
        (" yes ", True),
        ("0", False),
        ("False", False),
        ("no", False),
    ],
)
def test_words_for_yes_and_no_are_read(raw, value, monkeypatch):
    monkeypatch.setenv("SOME", raw)

    assert environment.boolean("SOME", default=not value) is value


@pytest.mark.parametrize("default", [True, False])
def test_an_empty_switch_keeps_its_default(default, monkeypatch):
    monkeypatch.setenv("SOME", "")

    assert environment.boolean("SOME", default=default) is default


def test_another_word_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("SOME", "maybe")

    with pytest.raises(ImproperlyConfigured, match=r"^SOME='maybe' is neither true nor false: use 1 or 0$"):
        environment.boolean("SOME", default=True)


def test_a_number_is_read_and_anything_else_is_refused(monkeypatch):
    monkeypatch.setenv("GOOD", "42")
    monkeypatch.setenv("BAD", "4.2")

    assert environment.integer("GOOD", default=1) == 42
    assert environment.integer("MISSING", default=7) == 7
    with pytest.raises(ImproperlyConfigured, match=r"^BAD='4.2' is not a whole number$"):
        environment.integer("BAD", default=1)


def test_a_list_is_split_at_commas(monkeypatch):
    monkeypatch.setenv("SOME", " 10.0.0.0/8, ,127.0.0.1:1025 ")

    assert environment.listing("SOME") == ["10.0.0.0/8", "127.0.0.1:1025"]
    assert environment.listing("MISSING") == []


def test_a_secret_is_read_from_a_file_before_the_variable(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("from the file\n")
    monkeypatch.setenv("SOME", "from the variable")
    monkeypatch.setenv("SOME_FILE", str(tmp_path / "key"))

    assert environment.secret("SOME") == "from the file"


def test_a_secret_may_stand_in_the_variable(monkeypatch):
    monkeypatch.setenv("SOME", "from the variable")

    assert environment.secret("SOME") == "from the variable"


def test_a_missing_secret_says_how_to_give_it(monkeypatch):
    monkeypatch.delenv("SOME", raising=False)

    with pytest.raises(
        ImproperlyConfigured, match=r"^SOME is not set\. .* SOME_FILE to a file that holds it$"
    ):
        environment.secret("SOME")


def test_an_unreadable_secret_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("SOME_FILE", str(tmp_path / "missing"))

    with pytest.raises(ImproperlyConfigured, match=r"missing' cannot be read: No such file or directory$"):
        environment.secret("SOME")


def test_encryption_keys_keep_their_order(monkeypatch):
    monkeypatch.setenv("SOME", f"new:{OTHER}, old:{KEY}=")

    keys = environment.encryption_keys("SOME")

    assert list(keys) == ["new", "old"]
    assert keys["old"] == bytes(32)


@pytest.mark.parametrize("raw", ["", f":{KEY}", KEY, "short:AAAA", f"k:{KEY}AAAA", f"good:{KEY},bad", "k:é"])
def test_a_bad_encryption_key_is_refused_without_being_shown(raw, monkeypatch):
    monkeypatch.setenv("SOME", raw)

    with pytest.raises(ImproperlyConfigured) as refusal:
        environment.encryption_keys("SOME")

    assert "SOME" in str(refusal.value)
    assert "AAAA" not in str(refusal.value)
