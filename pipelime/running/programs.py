"""The four processes of an installation on one machine, as command lines."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from pipelime.running.config import Config
from pipelime.running.supervisor import Child

QUEUES = "mail,webhooks,imports,default"
WORKER_THREADS = 4


def children(config: Config, environment: Mapping[str, str], sink_port: int) -> list[Child]:
    commands = {
        "web": web(config),
        "mailsink": [
            sys.executable,
            "-m",
            "pipelime.mailsink",
            str(config.data / "mailsink"),
            str(sink_port),
        ],
        "worker": worker(),
        "beat": beat(config),
    }
    return [
        Child(name, command, config.logs / f"{name}.log", environment) for name, command in commands.items()
    ]


def web(config: Config) -> list[str]:
    host = f"[{config.host}]" if ":" in config.host else config.host
    # A heartbeat file on a slow disk would get a healthy worker killed.
    memory = ["--worker-tmp-dir", "/dev/shm"] if Path("/dev/shm").is_dir() else []  # noqa: S108
    return [
        *(sys.executable, "-m", "gunicorn", "pipelime.wsgi:application"),
        *("--config", "python:pipelime.running.web_hooks", "--preload"),
        *("--bind", f"{host}:{config.port}"),
        *("--worker-class", "gthread", "--workers", "2", "--threads", "4"),
        *("--timeout", "60", "--graceful-timeout", "15", "--log-level", "warning"),
        "--no-control-socket",
        *memory,
    ]


def worker() -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "-A", "pipelime", "worker"),
        *("--pool", "threads", "--concurrency", str(WORKER_THREADS), "--queues", QUEUES),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"),
    ]


def beat(config: Config) -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "-A", "pipelime", "beat", "--loglevel", "WARNING"),
        *("--schedule", str(config.data / "beat-schedule"), "--pidfile", ""),
    ]
