"""The Celery app; queues and the timetable are settings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sellercentral.settings.production")

app = Celery("sellercentral")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
