"""The Celery app. Celery is a doorbell: a task looks at rows, and losing it delays work by one sweep."""

from __future__ import annotations

import gc
import os

import structlog
from celery import Celery
from celery.signals import task_postrun, task_prerun, worker_process_init, worker_ready
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipelime.settings")
TRANSPORT_ALIASES["files"] = "pipelime.file_broker:Transport"

app = Celery("pipelime")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(
    [
        "pipelime.accounts",
        "pipelime.doctor",
        "pipelime.events",
        "pipelime.search",
        "crm",
        "outreach",
        "webhooks",
    ]
)

# Which queue each bell rings in, and how often the sweep rings it anyway, in seconds.
BELLS = {
    "outreach.tasks.send_due": ("mail", 5),
    "outreach.tasks.plan_due": ("mail", 5),
    "outreach.tasks.work_linkedin": ("mail", 5),
    "outreach.tasks.beat": ("mail", 30),
    "outreach.tasks.poll_mailboxes": ("default", 5),
    "outreach.tasks.judge_visits": ("default", 15),
    "webhooks.tasks.deliver_due": ("webhooks", 5),
    "crm.tasks.run_imports": ("imports", 5),
    "crm.tasks.work_mail": ("default", 10),
    "crm.tasks.poll_inbox": ("default", 60),
    "pipelime.search.tasks.index_due": ("default", 10),
    "pipelime.events.tasks.relay_journal": ("default", 5),
    "pipelime.accounts.tasks.send_notices": ("default", 10),
    "pipelime.accounts.tasks.keep_house": ("default", 3600),
}
app.conf.task_routes = {task: {"queue": queue} for task, (queue, _) in BELLS.items()}
app.conf.beat_schedule = {
    task: {"task": task, "schedule": float(seconds), "options": {"queue": queue, "expires": max(seconds, 30)}}
    for task, (queue, seconds) in BELLS.items()
}


@task_prerun.connect
def name_in_logs(task_id, task, **kwargs) -> None:
    """Every line that a task logs says which task, and which run of it, it comes from."""
    structlog.contextvars.bind_contextvars(task=task.name, task_id=task_id)


@task_postrun.connect
def forget_in_logs(**kwargs) -> None:
    structlog.contextvars.unbind_contextvars("task", "task_id")


@worker_ready.connect
@worker_process_init.connect
def freeze_what_is_loaded(**kwargs) -> None:
    """Code and models stay as long as the process: looking for garbage among them costs bulk work a tenth."""
    gc.collect()
    gc.freeze()
