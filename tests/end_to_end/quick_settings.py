"""Pipelime as it is, but a second step may follow after one minute instead of fifteen: nobody waits here."""

from __future__ import annotations

from datetime import timedelta

from outreach import scheduling
from outreach.scheduling import sequence
from pipelime.settings import *  # noqa: F403

scheduling.HORIZON = sequence.HORIZON = timedelta(seconds=60)
sequence.HORIZON_SECONDS = 60
