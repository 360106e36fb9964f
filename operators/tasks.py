"""The job that tells operators what is amiss."""

from __future__ import annotations

from collections.abc import Iterator

from core.jobs import Done, Planned, job
from operators.domain import alerts

ALERTS = "alerts"


def _planned_alerts() -> Iterator[Planned]:
    for condition, facts in alerts.amiss():
        told = ", ".join(f"{name}: {value}" for name, value in facts.items())
        yield Planned(condition.name, f"{condition.words} ({told})")


@job(ALERTS, plan=_planned_alerts)
def tell_operators() -> Done:
    """Tell operators what began to be amiss, and what has ended (reliability 5)."""
    told = alerts.look()
    return Done({f"alerts {word}": count for word, count in told.items()})
