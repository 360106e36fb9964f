"""A mail server that behaves as told, and the outbox sent to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core import breaker, jobs
from tests.sinks.smtp import SmtpSink

Send = Callable[[], dict[str, int]]


@pytest.fixture
def sink(settings) -> Iterator[SmtpSink]:
    """The mail server of the settings."""
    server = SmtpSink()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_TIMEOUT = 5
    server.start()
    yield server
    server.stop()


@pytest.fixture
def send() -> Send:
    """Run the job of the outbox, as the timetable does; a server that was away is asked again."""

    def run() -> dict[str, int]:
        breaker.mail.reset()
        return dict(jobs.run("send-outbox") or {})

    return run
