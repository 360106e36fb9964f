"""The command lines of the product's own processes."""

from __future__ import annotations

import sys

# Modules, not scripts: the first line of a script breaks on long paths.
_CELERY = [sys.executable, "-m", "celery", "-A", "sellercentral"]

_ALONE = ["--without-gossip", "--without-mingle"]  # workers need not know of each other


def worker() -> list[str]:
    return [*_CELERY, "worker", "--loglevel", "INFO", "--concurrency", "2", *_ALONE]


def beat() -> list[str]:
    keeps_no_file = ["--scheduler", "celery.beat:Scheduler", "--pidfile="]
    return [*_CELERY, "beat", "--loglevel", "INFO", *keeps_no_file]


def web(host: str, port: int) -> list[str]:
    command = [sys.executable, "-m", "gunicorn", "sellercentral.wsgi", "--bind", f"{host}:{port}"]
    command += ["--config", "deploy/gunicorn.conf.py", "--threads", "4"]
    return [*command, "--graceful-timeout", "8", "--log-level", "warning"]
