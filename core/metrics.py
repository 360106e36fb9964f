"""Figures for whoever watches over the product: counted by processes, or read from the tables.

Labels never carry personal data, Order IDs or merchants (reliability 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max, Q
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core import breaker, clock
from core.models import JobRun

QUERIES = Histogram(
    "page_queries", "Queries of a request, by route", ["route"], buckets=(2, 5, 8, 10, 12, 20, 50)
)
REPEATED = Counter("transactions_repeated", "Verbs run again after a lost fight", ["code"])
REFUSED = Counter("limits_refused", "Requests refused because of a limit", ["limit"])
VIOLATED = Counter("guards_violated", "Writes that the database refused", ["guard"])

Value = tuple[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Gauge:
    name: str
    help: str
    labels: Sequence[str]
    read: Callable[[], Iterable[Value]]


GAUGES: dict[str, Gauge] = {}


def gauge(
    name: str, help: str, *labels: str
) -> Callable[[Callable[[], Iterable[Value]]], Callable[[], Iterable[Value]]]:
    """Declare a function that reads a figure from the tables: ((label, …), value) each."""

    def declare(read: Callable[[], Iterable[Value]]) -> Callable[[], Iterable[Value]]:
        GAUGES[name] = Gauge(name, help, labels, read)
        return read

    return declare


class FromTables(Collector):
    """Reads every declared gauge when it is asked for figures."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for each in GAUGES.values():
            family = GaugeMetricFamily(each.name, each.help, labels=list(each.labels))
            for labels, value in each.read():
                family.add_metric(list(labels), value)
            yield family


@gauge("job_seconds_since_success", "Seconds since a job last ended well", "job")
def _jobs() -> Iterator[Value]:
    now = clock.now()
    well = Max("finished_at", filter=Q(error=""))
    for row in JobRun.objects.values("job").annotate(last=well).order_by("job"):
        if row["last"] is not None:
            yield (row["job"],), (now - row["last"]).total_seconds()


@gauge("database_deadlocks_total", "Deadlocks the database broke up")
def _deadlocks() -> Iterator[Value]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        yield (), cursor.fetchone()[0]


@gauge("database_connections", "Connections to the database, and how many there may be", "what")
def _connections() -> Iterator[Value]:
    used, most = connections()
    yield ("used",), used
    yield ("most",), most


def connections() -> tuple[int, int]:
    """Return how many connections the database has, and how many it may have."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL),"
            " current_setting('max_connections')::int"
        )
        used, most = cursor.fetchone()
    return used, most


@gauge("redis_breaker_open", "1 while this process leaves Redis alone")
def _breaker() -> Iterator[Value]:
    yield (), float(breaker.redis.is_open)
