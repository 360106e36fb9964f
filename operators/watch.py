"""What a web process does beside its pages: it writes what it counted, and notices silence.

Alerts are a job like others. When beat, broker or workers are away nobody asks for it, and a web
process does it in their place, then sends the mails that it owes. When the web is away, too, the
readiness address does not answer: whoever asks it from outside has to tell.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models import Max

from core import clock, counts, jobs
from core.models import JobRun
from operators.tasks import ALERTS

# Alerts are due each minute; who has not looked for so long will not.
SILENCE = timedelta(seconds=settings.WATCH_SECONDS)
STAND_IN_FOR = (ALERTS, "send-outbox")

log = logging.getLogger(__name__)


def start() -> None:
    """Begin to look, in a thread of this process."""
    threading.Thread(target=_look_for_ever, name="watch", daemon=True).start()


def look(silence: timedelta = SILENCE) -> list[str]:
    """Write what was counted; do the jobs of the watch that nobody did. Return their names."""
    counts.flush()
    last = JobRun.objects.filter(job=ALERTS).aggregate(last=Max("started_at"))["last"]
    if last is not None and clock.now() - last <= silence:
        return []
    done = []
    for name in STAND_IN_FOR:
        if jobs.run(name, once=True) is not None:
            log.warning("job.stood_in_for", extra={"code": name})
            done.append(name)
    return done


def _look_for_ever() -> None:
    pause = threading.Event()
    while not pause.wait(settings.WATCH_PAUSE_SECONDS):
        try:
            look()
        except DatabaseError:
            continue  # readiness says so; what was counted is kept for the next time
        except Exception:
            log.exception("watch.failed")
        finally:
            connections.close_all()
