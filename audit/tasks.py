"""The job that makes alterations of the history show."""

from __future__ import annotations

from collections.abc import Iterator

from audit.domain import digests
from core.jobs import Done, Planned, job


def _planned_digests() -> Iterator[Planned]:
    for one in digests.due():
        yield Planned(f"merchant {one.merchant_id}", f"digest {one.entries} entries of the history")


@job("history-digest", plan=_planned_digests)
def digest_history() -> Done:
    """Digest what each merchant's history gained since the last time (TH-56)."""
    return digests.digest_history()
