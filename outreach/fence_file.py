"""The file beside the database that says which installation beat here, and how often."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

import structlog
from django.conf import settings
from django.utils import timezone

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trace:
    installation: str
    beats: int
    written_at: datetime


def path() -> Path:
    return settings.DATA / "fence.json"


def read_trace() -> Trace | None:
    """None where there is no file; one that cannot be understood belongs to nobody."""
    try:
        said = json.loads(path().read_bytes())
        return Trace(str(said["installation"]), int(said["beats"]), datetime.fromisoformat(said["at"]))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        return Trace("unreadable", 0, datetime.min.replace(tzinfo=UTC))


def write_trace(installation: str, beats: int) -> None:
    """Replaced as a whole, and never by an older one of the same installation."""
    known = read_trace()
    if known and known.installation == installation and known.beats >= beats:
        return
    try:
        with NamedTemporaryFile("w", dir=path().parent, prefix="fence-", delete=False) as file:
            json.dump({"installation": installation, "beats": beats, "at": str(timezone.now())}, file)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path())
    except OSError as error:
        # Without its file this machine is held at the next start, which is the safe side.
        log.exception("fence.unwritable", path=str(path()), error=str(error))
