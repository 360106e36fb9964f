"""What the history gained is digested each day, and an alteration shows (TH-56)."""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from audit.domain import digests
from audit.models import Entry, HistoryDigest
from core import clock, jobs
from orders.domain import invariants
from tests.factories import MerchantFactory, confirm, shipped_order, unshipped_order

CHECK = "TH-56 history is as it was when it was digested"
DAY = timedelta(days=1)


def digest_at(at: datetime) -> dict[str, int]:
    with clock.stopped(at):
        return dict(jobs.run("history-digest"))


def named(shop) -> list[str]:
    return [row.what for row in invariants.verify(merchant_id=shop.pk)[CHECK]]


def covered(shop) -> list[tuple[int, int]]:
    rows = HistoryDigest.objects.filter(merchant=shop).order_by("first")
    return list(rows.values_list("first", "last"))


def behind_the_triggers(statement: str, *values: object) -> None:
    """Do what only the owner of the tables can: switch the triggers off, alter, switch them on."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("audit_entry", "audit_historydigest"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        for table in ("audit_entry", "audit_historydigest"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def two_days(shop):
    """Digests of two days; the second one's day."""
    order = unshipped_order(shop)
    today = clock.now()
    digest_at(today)
    confirm(order)
    digest_at(today + DAY)
    (_, first), (second, last) = covered(shop)
    assert (second, last) == (first + 1, Entry.objects.filter(merchant=shop).count())
    return today + DAY


@pytest.mark.req("TH-56", "INV-10")
def test_each_day_is_digested_from_where_the_last_one_ended(shop, two_days):
    assert digest_at(two_days + DAY) == {"entries digested": 0}
    assert named(shop) == []
    assert HistoryDigest.objects.filter(merchant=shop).count() == 2


@pytest.mark.req("TH-56", "INV-10")
@pytest.mark.parametrize(
    "alteration",
    [
        "UPDATE audit_entry SET actor = 'nobody' WHERE merchant_id = %s AND number = %s",
        "UPDATE audit_entry SET happened_at = happened_at + interval '1 microsecond'"
        " WHERE merchant_id = %s AND number = %s",
        """UPDATE audit_entry SET after = '{"status": "shipped"}'
           WHERE merchant_id = %s AND number = %s""",
        "UPDATE audit_entry SET user_id = NULL, order_id = NULL, event = 'x', before = '{}'"
        " WHERE merchant_id = %s AND number = %s",
        "DELETE FROM audit_entry WHERE merchant_id = %s AND number = %s",
    ],
)
def test_an_entry_altered_behind_the_triggers_names_its_day(shop, two_days, alteration):
    (first, last) = covered(shop)[1]
    assert named(shop) == []
    behind_the_triggers(alteration, shop.pk, last)
    assert named(shop) == [f"{two_days.astimezone(UTC):%Y-%m-%d}: #{first} to #{last}"]
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_invariants", merchant=shop.slug, stdout=out)
    assert f"VIOLATED  {CHECK}" in out.getvalue()


@pytest.mark.req("TH-56")
@pytest.mark.parametrize(
    ("alteration", "days"),
    [
        ("UPDATE audit_historydigest SET digest = repeat('0', 64) WHERE first = 1", [0, 1]),
        ("DELETE FROM audit_historydigest WHERE first = 1", [1]),
    ],
)
def test_digests_altered_or_lost_are_named_by_those_after_them(shop, two_days, alteration, days):
    spans = covered(shop)
    behind_the_triggers(alteration)
    told = named(shop)
    assert [what.partition(": ")[2] for what in told] == [
        f"#{spans[day][0]} to #{spans[day][1]}" for day in days
    ]


@pytest.mark.req("TH-56")
def test_the_log_has_each_digest_and_anybody_can_make_it_anew(shop, caplog):
    unshipped_order(shop)
    caplog.set_level(logging.INFO)
    digest_at(clock.now())
    (line,) = [r for r in caplog.records if r.message == "history.digest" and r.merchant == shop.pk]
    row = HistoryDigest.objects.get(merchant=shop)
    assert line.facts == {"first": 1, "last": row.last, "digest": row.digest}
    assert line.count == row.last

    whole = hashlib.sha256()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT jsonb_build_array(merchant_id, number, order_id, event, extract(epoch FROM"
            " happened_at), door, actor, user_id, before, after)::text FROM audit_entry"
            " WHERE merchant_id = %s ORDER BY number",
            [shop.pk],
        )
        for (text,) in cursor.fetchall():
            assert json.loads(text)[0] == shop.pk
            whole.update(hashlib.sha256(text.encode()).digest())
    assert row.digest == whole.hexdigest()


@pytest.mark.req("TH-56")
def test_long_days_are_digested_in_pieces_and_no_merchant_waits(shop):
    other = MerchantFactory()
    shipped_order(shop)
    shipped_order(other)
    rounds = 0
    while digests.digest_history(limit=1, piece=2).more:
        rounds += 1
    assert rounds > 2
    for each in (shop, other):
        spans = covered(each)
        assert spans[-1][1] == Entry.objects.filter(merchant=each).count()
        assert all(last - first < 2 for first, last in spans)
        assert named(each) == []


@pytest.mark.req("TH-56")
def test_a_session_in_another_zone_makes_the_same_digest(shop):
    unshipped_order(shop)
    digest_at(clock.now())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'Asia/Kathmandu'; SET LOCAL datestyle = 'SQL, DMY'")
    assert named(shop) == []


@pytest.mark.req("TH-56", "AUTO-13")
def test_a_dry_run_says_how_much_is_to_be_digested(shop):
    unshipped_order(shop)
    entries = Entry.objects.filter(merchant=shop).count()
    out = StringIO()
    call_command("run_job", "history-digest", "--dry-run", stdout=out)
    told = out.getvalue().splitlines()
    assert f"merchant {shop.pk}: digest {entries} entries of the history" in told
    assert not HistoryDigest.objects.exists()
