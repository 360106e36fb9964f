"""A dispatcher that dies anywhere: nothing is missing, and doubled is only what it had in hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest
from django.conf import settings as project
from django.db import connection

from core import clock
from notifications.models import Outbox
from tests.factories import MerchantFactory, marketplace, unshipped_order
from tests.killed_mail import POINTS
from tests.sinks.smtp import SmtpSink


def kill(sink: SmtpSink, *points: str) -> None:
    """Send the outbox in processes that are killed, one after another."""
    database = project.DATABASES["default"] | connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    env = dict(os.environ, DATABASE_URL=url, EMAIL_URL=f"smtp://127.0.0.1:{sink.port}")
    env["DJANGO_SETTINGS_MODULE"] = "tests.killed_settings"
    subprocess.run(
        [sys.executable, "-m", "tests.killed_mail"],
        input=json.dumps(points),
        cwd=project.BASE_DIR,
        env=env,
        text=True,
        check=True,
        timeout=120,
    )


@pytest.mark.race
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.req("INV-09", "FT-02", "FT-05", "NOTIF-02", "NOTIF-01")
def test_a_dispatcher_killed_anywhere_loses_nothing(sink, send, settings, point):
    settings.CELERY_TASK_ALWAYS_EAGER = False
    marketplace()
    shop = MerchantFactory(notification_emails=["orders@shop.example"])
    orders = [unshipped_order(shop) for _ in range(3)]

    kill(sink, point)

    in_hand = sink.ids()
    before_hand_over = point in POINTS[:3]
    assert len(in_hand) == (0 if before_hand_over else 1)
    assert send() == ({"mails sent": 6} if point == POINTS[0] else {})  # the lease holds
    with clock.stopped(clock.now() + timedelta(seconds=61)):
        send()
        send()

    mails = Outbox.objects.filter(order__in=orders).exclude(channel="notification")
    assert set(mails.values_list("state", flat=True)) == {"sent"}
    arrived = Counter(sink.ids())
    assert len(arrived) == 6
    doubled = [each for each, times in arrived.items() if times > 1]
    assert doubled == (in_hand if point == POINTS[3] else [])
    assert max(arrived.values()) <= 2


@pytest.mark.long
@pytest.mark.race
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.req("INV-09", "FT-05")
def test_a_hundred_deaths_lose_nothing(sink, send, settings):
    settings.CELERY_TASK_ALWAYS_EAGER = False
    marketplace()
    shop = MerchantFactory(notification_emails=["orders@shop.example"])
    for _ in range(30):
        unshipped_order(shop)
    deaths = 0
    for _round in range(20):
        for point in POINTS:
            kill(sink, point)
            deaths += point == POINTS[3]
            Outbox.objects.filter(state="queued").update(lease_until=None)
    send()
    arrived = Counter(sink.ids())
    assert len(arrived) == 60
    assert sum(times - 1 for times in arrived.values()) <= deaths
