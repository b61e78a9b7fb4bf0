"""The embedded broker: kombu's folder of files, whose messages appear whole or not at all.

kombu creates a message's file before it writes it. A worker that looks in between reads half a message
and stops as if its broker were broken; here the file gets its name only once it is complete.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:
        """Readers take names that end in the queue's own; `.part` is none of theirs."""
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        whole = Path(self.data_folder_out) / name
        part = whole.with_name(f"{name}.part")
        try:
            part.write_bytes(str_to_bytes(dumps(payload)))
            part.replace(whole)
        except OSError as error:
            raise ChannelError(f"Cannot add {name} to {self.data_folder_out}: {error.strerror}") from error


class Transport(filesystem.Transport):
    Channel = Channel
