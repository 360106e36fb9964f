"""The Celery app; queues and the timetable are settings."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sellercentral.settings.production")

app = Celery("sellercentral")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@beat_init.connect
def catch_up(sender: Any, **_: object) -> None:
    """Ask for every job at once when the beat starts: it may not have ticked for days (FT-26)."""
    for entry in sender.app.conf.beat_schedule.values():
        sender.app.send_task(entry["task"])
