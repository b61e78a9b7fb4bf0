"""Celery entry points of the log."""

from celery import shared_task

from pipelime.events.journal import relay
from pipelime.scope import every_account


@shared_task
def relay_journal() -> None:
    with every_account():
        relay()
