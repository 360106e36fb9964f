"""The real lane of the tests: web, worker and beat as processes, with short pauses, which fail on
purpose where a file says so."""

from datetime import timedelta

from sellercentral.settings.base import *  # noqa: F403
from sellercentral.settings.base import CELERY_BEAT_SCHEDULE, env

SECRET_KEY = "tests-" + "0" * 60
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
CLOCK_MAY_STOP = True
FAIL_POINTS_FILE = env.str("FAIL_POINTS_FILE", default="")

# Leases and ticks as short as a test can wait for; at their own length in the long lane.
OPERATION_LEASE_SECONDS = env.int("OPERATION_LEASE_SECONDS", default=60)
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=45)
OUTBOX_LEASE_SECONDS = env.int("OUTBOX_LEASE_SECONDS", default=60)
UPLOAD_CHUNK = env.int("UPLOAD_CHUNK", default=500)
UPLOAD_LEASE_SECONDS = env.int("UPLOAD_LEASE_SECONDS", default=60)
BREAKER_SECONDS = env.float("BREAKER_SECONDS", default=30.0)
CELERY_WORKER_MAX_MEMORY_PER_CHILD = env.int("WORKER_MEMORY_KB", default=400_000)
WATCH_SECONDS = env.int("WATCH_SECONDS", default=120)
WATCH_PAUSE_SECONDS = env.float("WATCH_PAUSE_SECONDS", default=10.0)
ALERT_SILENCE_SECONDS = env.int("ALERT_SILENCE_SECONDS", default=300)
BODY_SECONDS = env.int("BODY_SECONDS", default=60)
if _tick := env.float("TICK_SECONDS", default=0.0):
    for _entry in CELERY_BEAT_SCHEDULE.values():
        if isinstance(_entry["schedule"], timedelta):  # what is due at an hour of the day stays so
            _entry["schedule"] = min(_entry["schedule"], timedelta(seconds=_tick))
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
