"""The further columns of an account's reports (REPORT-22)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.domain import calendar
from accounts.models import Merchant
from audit.domain import history
from core.actor import Actor
from core.refusal import Refusal, Refused
from reports.enums import EXTRA_COLUMNS
from reports.models import ReportSettings

EVENT = "reports.columns_changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One saved choice of columns: by whom, when, and which."""

    by: str
    at: datetime
    columns: Sequence[str]


def of(merchant_id: int) -> ReportSettings:
    """Return what a merchant chose; with nothing chosen, and not stored, when it chose nothing."""
    found = ReportSettings.objects.filter(pk=merchant_id).first()
    return found or ReportSettings(merchant_id=merchant_id)


@transaction.atomic
def choose_columns(
    *, merchant_id: int, columns: Collection[str], seen: int, by: Actor
) -> ReportSettings:
    """Switch the further columns on and off; reports asked for from now on have them.

    columns: of ``EXTRA_COLUMNS``. seen: the version of the settings that the page showed.
    Raises Refused: STALE_SETTINGS when somebody changed them since (INV-08).
    """
    if unknown := set(columns) - set(EXTRA_COLUMNS):
        raise ValueError(f"no columns: {sorted(unknown)}")
    # Orders may be placed meanwhile: their keys refer to the row, which this lock leaves alone.
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)
    chosen = of(merchant.pk)
    if chosen.version != seen:
        raise Refused(stale())
    before = chosen.extra_columns
    chosen.extra_columns = [name for name in EXTRA_COLUMNS if name in columns]
    if chosen.extra_columns != before:
        chosen.version += 1
        chosen.save()
        line = history.Line(
            merchant.pk,
            EVENT,
            calendar.now_for(merchant),
            by,
            before={"columns": before},
            after={"columns": chosen.extra_columns, "version": chosen.version},
        )
        history.append([line])
    return chosen


def changes_since(merchant_id: int, version: int) -> list[Change]:
    """Return what was saved after a version of the settings, oldest first."""
    entries = history.entries(merchant_id, EVENT).filter(after__version__gt=version)
    return [
        Change(entry.actor, entry.happened_at, entry.after["columns"])
        for entry in entries.order_by("number")[:50]
    ]


def stale() -> Refusal:
    """Say that a form was made from settings that are others by now."""
    return Refusal(
        "STALE_SETTINGS",
        _("Someone else changed this page"),
        remedy=_("Nothing of yours was saved. Look at what changed, then save again."),
    )
