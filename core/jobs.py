"""Nudging workers. The work itself is a row; a lost nudge costs one tick of the timetable."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from core import breaker

log = logging.getLogger(__name__)


def nudge(task: str) -> None:
    """Ask a worker to look for work once the open transaction commits.

    A broker that is away is no reason to fail: the timetable looks for the same work.
    """

    def send() -> None:
        if breaker.redis.is_open:
            return
        try:
            current_app.tasks[task].apply_async(retry=False)
        except (OperationalError, OSError):
            log.warning("nudge.lost", extra={"task": task})
            breaker.redis.trip()

    transaction.on_commit(send, robust=True)
