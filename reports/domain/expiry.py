"""Files of reports are kept ninety days (REPORT-20)."""

from __future__ import annotations

from django.db import transaction

from core import clock, stored_files
from core.jobs import Done, Planned
from reports.domain.building import FOLDER
from reports.enums import ReportState
from reports.models import Report

BATCH = 500
ORPHAN_SECONDS = 24 * 3600  # a file that no row names for so long is what a crash left


def expire(*, limit: int = BATCH) -> Done:
    """Remove what is old enough: first a file's name from its row, then the file."""
    with transaction.atomic():
        old = Report.objects.to_expire(at=clock.now()).select_for_update(of=("self",))
        names = dict(old.order_by("pk").values_list("pk", "name")[:limit])
        Report.objects.filter(pk__in=names).update(state=ReportState.EXPIRED, name="")
    for name in names.values():
        stored_files.remove(name)
    orphans = 0
    for name in _orphans():
        stored_files.remove(name)
        orphans += 1
    return Done({"files removed": len(names), "orphans removed": orphans}, more=len(names) == limit)


def plan() -> list[Planned]:
    """Say how many files are old enough."""
    old, orphans = Report.objects.to_expire(at=clock.now()).count(), len(_orphans())
    told = [(f"{old} reports", "remove the file"), (f"{orphans} files", "no report names them")]
    return [Planned(*words) for words, count in zip(told, (old, orphans), strict=True) if count]


def _orphans() -> list[str]:
    known = set(Report.objects.exclude(name="").values_list("name", flat=True))
    return list(stored_files.orphans(FOLDER, known, older_than=ORPHAN_SECONDS))
