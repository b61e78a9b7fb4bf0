"""Keys are made once, stay as they are, and are readable by their owner only."""

from __future__ import annotations

import base64
from pathlib import Path

from pipelime.running.secret_files import ensure_secrets, env_file, new_encryption_key, write_private


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


def test_secrets_are_made_with_mode_600_in_a_folder_with_mode_700(tmp_path):
    folder = tmp_path / "secrets"

    variables = ensure_secrets(folder, {})

    assert variables == {
        "SECRET_KEY_FILE": str(folder / "secret_key"),
        "PIPELIME_KEYS_FILE": str(folder / "pipelime_keys"),
        "PIPELIME_SUPPRESSION_KEY_FILE": str(folder / "suppression_key"),
    }
    assert mode(folder) == "0o700"
    assert {path.name: mode(path) for path in folder.iterdir()} == {
        "secret_key": "0o600",
        "pipelime_keys": "0o600",
        "suppression_key": "0o600",
    }


def test_secrets_stay_as_they_are_on_the_next_start(tmp_path):
    variables = ensure_secrets(tmp_path, {})
    before = [Path(path).read_text() for path in variables.values()]

    again = ensure_secrets(tmp_path, {})

    assert again == variables
    assert [Path(path).read_text() for path in again.values()] == before


def test_secrets_of_the_operator_are_not_shadowed_by_files(tmp_path):
    environ = {"SECRET_KEY": "own", "PIPELIME_KEYS_FILE": "/run/secrets/keys"}

    variables = ensure_secrets(tmp_path, environ)

    assert variables == {}
    assert list(tmp_path.iterdir()) == []


def test_an_installation_from_before_gets_the_key_it_lacks_and_keeps_the_others(tmp_path):
    (tmp_path / "secret_key").write_text("from before\n")
    (tmp_path / "pipelime_keys").write_text("k1:from before\n")

    ensure_secrets(tmp_path, {})

    assert (tmp_path / "secret_key").read_text() == "from before\n"
    assert len((tmp_path / "suppression_key").read_text()) > 60


def test_an_encryption_key_is_an_id_and_32_random_bytes():
    key_id, _, encoded = new_encryption_key().partition(":")

    assert key_id.isalnum()
    assert len(base64.urlsafe_b64decode(encoded + "=")) == 32
    assert new_encryption_key() != new_encryption_key()


def test_a_private_file_replaces_a_readable_one_without_keeping_its_mode(tmp_path):
    path = tmp_path / "demo.json"
    path.write_text("old")
    path.chmod(0o644)

    write_private(path, "new")

    assert (path.read_text(), mode(path)) == ("new", "0o600")


def test_an_env_file_holds_every_secret_of_a_container_installation():
    lines = env_file().splitlines()

    names = [line.partition("=")[0] for line in lines]
    assert names == ["SECRET_KEY", "PIPELIME_KEYS", "PIPELIME_SUPPRESSION_KEY", "POSTGRES_PASSWORD"]
    assert all(len(line.partition("=")[2]) >= 32 for line in lines)
