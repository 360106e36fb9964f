"""What the database refuses by itself about reports: each guard is offended by raw SQL."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from reports.models import Release, Report, Schedule
from tests.factories import MerchantFactory, unshipped_order
from tests.orders.offences import Case, offend
from tests.reports.files import make, schedule, switch_on

REPORT = "UPDATE reports_report SET {} WHERE id = {{report}}"
SCHEDULE = "UPDATE reports_schedule SET {} WHERE id = {{schedule}}"
DIGEST = "repeat('0', 64)"
KEPT = (
    f"state = 'ready', rows = 1, size = 9, digest = {DIGEST}, name = 'reports/x',"
    " finished_at = now(), expires_at = now()"
)
COPY = (
    "INSERT INTO reports_report (merchant_id, kind, origin, days, from_at, to_at, extra_columns,"
    " include_cancelled, state, requested_at, requested_by, attempts, digest, name, failure,"
    " reference) SELECT merchant_id, kind, origin, days, from_at, to_at, extra_columns,"
    " include_cancelled, 'submitted', requested_at, requested_by, 0, '', '', '', ''"
    " FROM reports_report WHERE id = {report}"
)
OFFENCES = {
    "one_identical_report_is_made_at_a_time": (
        REPORT.format("state = 'submitted', name = ''"), COPY,
    ),
    "report_kind_known": (REPORT.format("kind = 'all', days = NULL"),),
    "report_origin_known": (REPORT.format("origin = 'mail'"),),
    "report_state_known": (REPORT.format("state = 'lost', name = ''"),),
    "report_days_are_offered": (REPORT.format("days = 4"),),
    "report_of_orders_has_a_range": (REPORT.format("from_at = to_at + interval '1 s'"),),
    "report_columns_known": (REPORT.format("extra_columns = '{{card-number}}'"),),
    "cancelled_orders_come_with_their_status": (REPORT.format("include_cancelled = true"),),
    "a_report_being_made_has_a_lease": (REPORT.format("state = 'in_progress', name = ''"),),
    "a_finished_report_has_its_file": (REPORT.format("name = ''"),),
    "a_report_without_rows_has_no_data": (REPORT.format("rows = 0"),),
    "a_failed_report_says_why": (REPORT.format("state = 'failed', name = ''"),),
    "extra_columns_known": (
        "UPDATE reports_reportsettings SET extra_columns = '{{card-number}}'",
    ),
    "one_schedule_a_kind": (
        "INSERT INTO reports_schedule (merchant_id, kind, last_run_at, version)"
        " SELECT merchant_id, kind, now(), 1 FROM reports_schedule",
    ),
    "schedule_kind_known": (SCHEDULE.format("kind = 'all'"),),
    "schedule_runs_or_never_does": (SCHEDULE.format("period = 7"),),
    "release_of_an_order_of_its_merchant": (
        "UPDATE reports_release SET merchant_id = {other} WHERE order_id = {waiting}",
    ),
    "release_in_a_report_of_its_merchant": (
        "UPDATE reports_report SET merchant_id = {other} WHERE id = {taker}",
    ),
    "an_order_stays_in_its_report": (
        "UPDATE reports_release SET report_id = NULL WHERE order_id = {taken}",
    ),
    "an_order_stays_in_its_report (deleted)": (
        "DELETE FROM reports_release WHERE order_id = {waiting}",
    ),
}  # fmt: skip
REFERRED_TO = {"report_belongs_to_its_merchant"}


@pytest.fixture
def world(shop):
    schedule(shop)
    taken, waiting = unshipped_order(shop), unshipped_order(shop)
    switch_on(shop, "currency")
    report, taker = make(shop), make(shop, days=7)
    Release.objects.filter(order=taken).update(report=taker)
    return {
        "report": report.pk,
        "taker": taker.pk,
        "schedule": Schedule.objects.get().pk,
        "taken": taken.pk,
        "waiting": waiting.pk,
        "other": MerchantFactory().pk,
    }


@pytest.mark.req("IMPL-17", "REPORT-23", "INV-14", "INV-15", "INV-16")
@pytest.mark.parametrize("guard", OFFENCES)
def test_the_database_refuses_by_name(guard, world):
    *lead, offence = OFFENCES[guard]
    case = Case(guard, offence, lead=tuple(lead))
    assert offend(case, world) == guard.split(" ")[0]


@pytest.mark.req("IMPL-17")
def test_every_guard_of_reports_is_offended(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid"
            " WHERE contype IN ('c', 'f', 'u', 'x') AND t.relname LIKE 'reports\\_%'"
            " UNION SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique"
            " AND indrelid = 'reports_report'::regclass AND indpred IS NOT NULL"
        )
        known = {name for (name,) in cursor.fetchall()}
        cursor.execute(
            "SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT tgisinternal AND c.relname LIKE 'reports\\_%'"
        )
        triggers = {name for (name,) in cursor.fetchall()}
    made_up = re.compile(r"_fk(_\w+)?$|_key$|_check$|_uniq$|_[0-9a-f]{8}(_\w+)?$")
    written = {name for name in known if not made_up.search(name)}
    assert written - REFERRED_TO == {name for name in OFFENCES if not name.startswith("an_order")}
    assert triggers == {"release_stays", "release_is_not_deleted"}
    declared = {c.name for model in (Report, Schedule) for c in model._meta.constraints}
    assert declared <= written
