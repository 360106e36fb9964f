"""Tests run whole without a network: the outside is a sandbox, a memory, this machine (TECH-08)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection

from core import clock
from notifications.models import Outbox
from payments.gateways.sandbox import SandboxGateway
from sellercentral.celery import app
from tests.factories import unshipped_order

HERE = {"", "localhost", "127.0.0.1", "::1", None}


@pytest.mark.req("TECH-08")
def test_tasks_are_eager_mail_is_kept_in_memory_and_the_clock_stands_still(shop):
    assert app.conf.task_always_eager
    assert settings.CLOCK_MAY_STOP
    before = len(mail.outbox)
    with clock.stopped(clock.now()):
        moment = clock.now()
        order = unshipped_order(shop)
        assert clock.now() == moment
    assert Outbox.objects.filter(order=order, kind="N01").exists()
    assert len(mail.outbox) == before  # nothing is sent before the commit


@pytest.mark.req("TECH-08")
def test_everything_the_tests_talk_to_is_on_this_machine():
    host = str(connection.settings_dict["HOST"])
    assert host in HERE or host.startswith("/")
    assert urlsplit(settings.REDIS_URL).hostname in HERE
    assert urlsplit(settings.SITE_URL).hostname in HERE
    assert settings.PAYMENT_GATEWAY.endswith(SandboxGateway.__name__)
