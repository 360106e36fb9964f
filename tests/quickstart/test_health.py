"""Health addresses: whether the process lives, and whether it can work."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client

pytestmark = [pytest.mark.req("TECH-11"), pytest.mark.django_db]


def test_live_says_nothing_but_ok(client: Client) -> None:
    with connection.execute_wrapper(_no_database):
        answer = client.get("/health/live/")

    assert (answer.status_code, answer.json()) == (200, {"live": "ok"})


def test_ready_has_a_word_for_each_part(client: Client) -> None:
    answer = client.get("/health/ready/")

    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "migrations": "ok", "redis": "ok"}
    assert answer["Cache-Control"] == "no-store"


def test_without_redis_the_product_is_ready_and_degraded(client: Client, settings: Any) -> None:
    away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": away}

    answer = client.get("/health/ready/")

    assert answer.status_code == 200
    assert answer.json()["redis"] == "degraded"
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
    monkeypatch.setattr("core.views.health._migrated", False)
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
