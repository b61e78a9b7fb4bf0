"""Makes the keys of an installation on its first start, in files that only its user can read."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

FILES: dict[str, str] = {
    "SECRET_KEY": "secret_key",
    "PIPELIME_KEYS": "pipelime_keys",
    "PIPELIME_SUPPRESSION_KEY": "suppression_key",
}


def new_secret_key() -> str:
    return secrets.token_urlsafe(48)


def new_encryption_key() -> str:
    """`id:base64url(32 bytes)`; the id lets a later key stand beside this one."""
    return f"k{secrets.token_hex(3)}:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip('=')}"


MAKERS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": new_secret_key,
    "PIPELIME_KEYS": new_encryption_key,
    "PIPELIME_SUPPRESSION_KEY": new_secret_key,
}
# Processes that lack it would not recognise the hashes that others wrote under it. So it is made only where
# SECRET_KEY is a file of ours as well, and every process is started from here.
WITH_OUR_OWN = {"PIPELIME_SUPPRESSION_KEY": "SECRET_KEY"}


def ensure_secrets(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The NAME_FILE variables to export; empty for what the operator has set in either form."""
    variables = {}
    for name, file_name in FILES.items():
        if environ.get(name) or environ.get(f"{name}_FILE"):
            continue
        if name in WITH_OUR_OWN and f"{WITH_OUR_OWN[name]}_FILE" not in variables:
            continue
        path = folder / file_name
        if not path.exists():
            write_private(path, MAKERS[name]() + "\n")
        variables[f"{name}_FILE"] = str(path)
    return variables


def write_private(path: Path, text: str) -> None:
    """Whole or not at all: half a key written by a crash would lock every stored secret."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def env_file() -> str:
    """Fresh values for an installation that keeps its secrets in an environment file."""
    values = {name: make() for name, make in MAKERS.items()} | {
        "POSTGRES_PASSWORD": secrets.token_urlsafe(24)
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


if __name__ == "__main__":
    sys.stdout.write(env_file())
