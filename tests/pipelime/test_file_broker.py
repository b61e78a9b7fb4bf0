"""Messages of the embedded broker appear whole or not at all."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from pipelime.celery import app
from pipelime.file_broker import Channel, Transport


@pytest.fixture
def broker(tmp_path):
    folder = str(tmp_path)
    options = {
        "data_folder_in": folder,
        "data_folder_out": folder,
        "control_folder": str(tmp_path / "control"),
    }
    with Connection(transport=Transport, transport_options=options) as connection:
        yield connection


def test_a_message_arrives_as_it_was_sent(broker):
    # Queues of their own: kombu remembers for the whole process which are bound.
    queue = broker.SimpleQueue("arrivals")

    queue.put({"task": "look"})

    message = queue.get(timeout=5)
    assert message.payload == {"task": "look"}
    queue.close()


def test_a_message_under_way_is_not_seen(broker, tmp_path, monkeypatch):
    seen: list[list[str]] = []
    write = Path.write_bytes

    def look_after_writing(self: Path, data: bytes) -> int:
        size = write(self, data)
        seen.append([path.name for path in tmp_path.glob("*.msg")])
        return size

    monkeypatch.setattr(Path, "write_bytes", look_after_writing)
    broker.SimpleQueue("departures").put({"task": "look"})

    assert seen == [[]]
    assert len(list(tmp_path.glob("*.departures.msg"))) == 1


def test_a_reader_beside_a_writer_never_meets_half_a_message(broker, tmp_path):
    channel = broker.channel()
    writer = threading.Thread(
        target=lambda: [channel._put("mail", {"n": n, "text": "x" * 5000}) for n in range(300)]
    )
    writer.start()
    got: list[int] = []
    reader = broker.channel()
    while len(got) < 300:
        try:
            got.append(reader._get("mail")["n"])
        except Empty:
            continue
    writer.join()

    assert sorted(got) == list(range(300))


def test_the_embedded_mode_uses_it(settings):
    if settings.BROKER_URL:
        assert app.conf.broker_transport is None
    else:
        transport = app.connection_for_write().transport
        assert isinstance(transport, Transport)
        assert transport.Channel is Channel
