"""The data folder and the ports: checked, locked and tidied before anything is started."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from pipelime.running import CannotStart
from pipelime.running.config import LOOPBACK, port_number


def ensure_writable(data: Path) -> None:
    probe = data / f".writable.{os.getpid()}"
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)  # it holds people and secrets
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"The data folder {data} cannot be written ({error.strerror}). "
            "Give yourself the right to write there, or set PIPELIME_DATA to another folder."
        ) from None


def lock(data: Path) -> TextIO:
    """Hold the returned file open: closing it, or dying, lets the next bin/up in."""
    file = (data / "up.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise CannotStart(
            f"Another bin/up (process {owner}) already serves the data folder {data}. "
            "Stop that one, or set PIPELIME_DATA to another folder."
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def ensure_port_is_free(host: str, port: int) -> None:
    try:
        bind(host, port).close()
    except socket.gaierror:
        raise CannotStart(
            f"HOST={host} is not an address of this machine: use {LOOPBACK} or 0.0.0.0."
        ) from None
    except PermissionError:
        raise CannotStart(
            f"Port {port} needs the right to use ports below 1024. Choose another: PORT=8000 bin/up"
        ) from None
    except OSError as error:
        raise CannotStart(
            f"Port {port} on {host} cannot be used ({error.strerror}). "
            f"Stop the program that holds it, or choose another: PORT={port % 65535 + 1} bin/up"
        ) from None


def bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # As gunicorn does: connections of an earlier run that linger in TIME_WAIT are no obstacle.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def known_sink_port(data: Path, environ: Mapping[str, str]) -> int | None:
    if chosen := environ.get("PIPELIME_SINK_PORT"):
        return port_number("PIPELIME_SINK_PORT", chosen)
    try:
        return int((data / "mailsink.port").read_text())
    except (FileNotFoundError, ValueError):
        return None


def choose_sink_port(data: Path, environ: Mapping[str, str]) -> int:
    """The port of the last run while it is free: the demo's mailbox remembers it in the database."""
    known = known_sink_port(data, environ)
    if known and (environ.get("PIPELIME_SINK_PORT") or is_free(known)):
        return known
    with bind(LOOPBACK, 0) as listener:
        port: int = listener.getsockname()[1]
    (data / "mailsink.port").write_text(f"{port}\n")
    return port


def is_free(port: int) -> bool:
    try:
        bind(LOOPBACK, port).close()
    except OSError:
        return False
    return True


def clear_stale_bells(data: Path) -> None:
    """Messages of an earlier run only slow the file broker down: the rows say what is due."""
    shutil.rmtree(data / "broker", ignore_errors=True)
