"""Health addresses: whether the process lives, and whether it can work."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client

from core import clock
from core.models import JobRun
from tests.factories import job_run

pytestmark = [pytest.mark.req("TECH-11"), pytest.mark.django_db]

ALL_WELL = {"database": "ok", "migrations": "ok", "redis": "ok", "beat": "ok", "disk": "ok"}


@pytest.fixture(autouse=True)
def _a_beat_that_ticks_and_a_disk_with_room(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    job_run("check-payments")
    has_room(monkeypatch, 0.5)


def has_room(monkeypatch: pytest.MonkeyPatch, free: float) -> None:
    room = os.statvfs_result((4096, 4096, 1000, 1000, int(1000 * free), 0, 0, 0, 0, 255))
    monkeypatch.setattr("core.health.os.statvfs", lambda folder: room)


def test_live_says_nothing_but_ok(client: Client) -> None:
    with connection.execute_wrapper(_no_database):
        answer = client.get("/health/live/")

    assert (answer.status_code, answer.json()) == (200, {"live": "ok"})


def test_ready_has_a_word_for_each_part(client: Client) -> None:
    answer = client.get("/health/ready/")

    assert answer.status_code == 200
    assert answer.json() == ALL_WELL
    assert answer["Cache-Control"] == "no-store"


def test_without_redis_the_product_is_ready_and_degraded(client: Client, settings: Any) -> None:
    away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": away}

    answer = client.get("/health/ready/")

    assert answer.status_code == 200
    assert answer.json() == {**ALL_WELL, "redis": "degraded"}
    assert caches.settings["default"]["LOCATION"] == "redis://127.0.0.1:1/0"


def test_a_database_that_cannot_be_written_is_not_ready(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")

    answer = client.get("/health/ready/")

    assert answer.status_code == 503
    assert answer.json()["database"] == "read-only"


def test_a_schema_that_waits_for_its_migrations_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.health._migrated", False)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE id ="
            " (SELECT max(id) FROM django_migrations WHERE app = 'orders')"
        )

    answer = client.get("/health/ready/")

    assert answer.status_code == 503
    assert answer.json()["migrations"] == "waiting"


@pytest.mark.parametrize(
    "origin",
    [
        {"REMOTE_ADDR": "8.8.8.8"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "8.8.8.8"},
        {"REMOTE_ADDR": ""},
    ],
)
def test_strangers_learn_no_details(client: Client, origin: dict[str, str]) -> None:
    answer = client.get("/health/ready/", **origin)

    assert (answer.status_code, answer.json()) == (200, {"ready": "ok"})


def _no_database(*_: object) -> None:
    raise AssertionError("live asks nothing but the process")


@pytest.mark.parametrize(("minutes", "status", "word"), [(2, 200, "ok"), (4, 503, "silent")])
def test_a_timetable_that_stopped_is_told(
    client: Client, minutes: int, status: int, word: str
) -> None:
    JobRun.objects.update(started_at=clock.now() - timedelta(minutes=minutes))
    answer = client.get("/health/ready/")
    assert (answer.status_code, answer.json()["beat"]) == (status, word)


def test_without_redis_no_tick_arrives_and_pages_work_on(client: Client, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1"}}
    JobRun.objects.all().delete()
    answer = client.get("/health/ready/")
    assert answer.status_code == 200
    assert answer.json() == {**ALL_WELL, "redis": "degraded", "beat": "unknown"}


@pytest.mark.parametrize(
    ("free", "status", "word"), [(0.2, 200, "ok"), (0.05, 200, "low"), (0.005, 503, "full")]
)
def test_room_for_files_is_told(
    client: Client, monkeypatch: pytest.MonkeyPatch, free: float, status: int, word: str
) -> None:
    has_room(monkeypatch, free)
    answer = client.get("/health/ready/")
    assert (answer.status_code, answer.json()["disk"]) == (status, word)
