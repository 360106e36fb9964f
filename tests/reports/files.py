"""Reports asked for, made and read back, as a merchant's spreadsheet or program reads them."""

from __future__ import annotations

import csv
import io
from typing import Any

from accounts.models import Merchant
from core import jobs, stored_files
from reports.domain import requests, scheduling
from reports.domain import settings as chosen
from reports.enums import Period, ReportKind
from reports.models import Report, Schedule
from tests.factories import STAFF

Row = dict[str, str]


def make(shop: Merchant, *, days: int | None = 3, **changes: Any) -> Report:
    """A report of orders, or with days None of what is unshipped, made by the job."""
    kind = ReportKind.ORDERS if days else ReportKind.UNSHIPPED
    report = requests.request_report(merchant=shop, kind=kind, days=days, by=STAFF, **changes)
    jobs.run("reports")
    report.refresh_from_db()
    return report


def switch_on(shop: Merchant, *columns: str) -> None:
    seen = chosen.of(shop.pk).version
    chosen.choose_columns(merchant_id=shop.pk, columns=columns, seen=seen, by=STAFF)


def schedule(
    shop: Merchant, period: Period | None = Period.DAY_1, kind: ReportKind = ReportKind.ORDERS
) -> Schedule | None:
    known = scheduling.schedules_of(shop.pk).get(kind)
    seen = known.version if known else 0
    return scheduling.change_schedule(
        merchant_id=shop.pk, kind=kind, period=period, seen=seen, by=STAFF
    )


def content(report: Report) -> bytes:
    assert report.kept is not None
    return stored_files.read(report.kept)


def read(report: Report) -> list[Row]:
    """The rows by names of columns; nothing in the file is quoted, so nothing is unquoted."""
    text = io.StringIO(content(report).decode("utf-8"), newline="")
    reader = csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
    return list(reader)
