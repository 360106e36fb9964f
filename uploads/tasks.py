"""Jobs of uploads; a task means "look for work"."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from celery import shared_task

from core import clock, jobs
from core.jobs import Done, Planned, job, nudge
from core.limits import long_statements
from uploads.domain import processing
from uploads.models import Upload

_TURN = timedelta(
    seconds=150
)  # of one upload; then another run goes on, so that none hogs a worker


def _planned() -> Iterator[Planned]:
    for pk in processing.waiting():
        upload = Upload.objects.get(pk=pk)
        yield Planned(f"batch {upload.number}", f"process {upload.file_name}")


@job("process-uploads", plan=_planned)
def process_uploads() -> Done:
    """Hand each merchant's oldest upload to a task of its own: side by side, each in its order."""
    waiting = processing.waiting()
    for pk in waiting:
        nudge("uploads.process_upload", pk)
    return Done({"uploads handed out": len(waiting)})


@shared_task(name="uploads.process_upload", ignore_result=True)
def process_upload(upload_id: int) -> None:
    """Work on one upload, unless somebody does; then let the merchant's next one begin."""
    upload = processing.take(upload_id)
    if upload is None:
        return
    with long_statements(jobs.STATEMENT_SECONDS):
        try:
            processing.work(upload, until=clock.now() + _TURN)
        except processing.ClaimLost:
            return
    nudge("uploads.process_uploads")
