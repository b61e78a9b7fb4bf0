"""Turns events into deliveries, inside the transaction that wrote the events."""


def enqueue(events) -> None:
    """Written next."""
