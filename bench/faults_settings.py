"""Settings of bench/faults: as in the end-to-end tests, and the dead are succeeded soon.

A lease bounds how long a dead worker's mailboxes rest; it does not decide what may be sent twice.
"""

from __future__ import annotations

from datetime import timedelta

from tests.end_to_end.quick_settings import *  # noqa: F403

LEASE = timedelta(seconds=6)
LOG_LEVEL = "WARNING"
