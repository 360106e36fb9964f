"""A server refuses to start with a mistake, and passes the framework's own examination."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RIGHT = {
    "DJANGO_SETTINGS_MODULE": "sellercentral.settings.production",
    "SECRET_KEY": hashlib.sha256(b"of these tests only").hexdigest(),  # the same in every process
    "ALLOWED_HOSTS": "shop.example",
    "SITE_URL": "https://shop.example",
    "DATABASE_URL": "postgres://localhost/none",
    "REDIS_URL": "redis://localhost/0",
    "EMAIL_URL": "smtp+tls://localhost:587",
    "PAYMENT_GATEWAY": "payments.gateways.sandbox.SandboxGateway",
}


def check(**changed: str | None) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"]} | RIGHT | changed
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={name: value for name, value in given.items() if value is not None},
        capture_output=True,
        text=True,
    )


def test_check_deploy_finds_nothing() -> None:
    done = check()

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "System check identified no issues (0 silenced)."


@pytest.mark.req("TECH-07")
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECRET_KEY", None, "SECRET_KEY must be at least 50 random characters."),
        ("SECRET_KEY", "k" * 60, "SECRET_KEY must be at least 50 random characters."),
        ("SECRET_KEY", RIGHT["SECRET_KEY"][:49], "SECRET_KEY must be at least 50 random"),
        ("SECRET_KEY", "django-insecure-" + RIGHT["SECRET_KEY"], "SECRET_KEY is a placeholder"),
        ("ALLOWED_HOSTS", None, "ALLOWED_HOSTS must be set on a server."),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS must name the hosts; * is refused."),
        ("ALLOWED_HOSTS", "shop.example,*", "ALLOWED_HOSTS must name the hosts; * is refused."),
        ("FAIL_POINTS_FILE", "/tmp/points", "FAIL_POINTS_FILE lets processes fail on purpose"),
        ("DEBUG", "on", "DEBUG shows the inside of the product to everybody."),
        ("SITE_URL", "http://shop.example", "SITE_URL must begin with https"),
        ("DATABASE_URL", None, "DATABASE_URL must be set on a server."),
        ("DATABASE_OWNER_URL", "postgres://owner@localhost/other", "must lead to the database of"),
        ("REDIS_URL", None, "REDIS_URL must be set on a server."),
        ("EMAIL_URL", None, "EMAIL_URL must be set on a server."),
        ("GATEWAY_CALLBACK_SECRET", "short", "GATEWAY_CALLBACK_SECRET must be at least 32"),
        ("ALERT_WEBHOOK_URL", "http://x.example", "ALERT_WEBHOOK_URL must begin with https."),
        ("PAYMENT_GATEWAY", None, "Set the PAYMENT_GATEWAY environment variable"),
    ],
)
def test_a_mistake_is_named_and_refused(name: str, value: str | None, sentence: str) -> None:
    done = check(**{name: value})

    assert done.returncode == 1
    assert sentence in done.stderr


def test_the_web_process_and_the_worker_default_to_a_server() -> None:
    """Whoever forgets the variable gets a refusal, not the settings of the quick start."""
    env = {"PATH": os.environ["PATH"]}
    for module in ("sellercentral.wsgi", "sellercentral.celery"):
        code = f"import {module}; from django.conf import settings; settings.DEBUG"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True
        )

        assert done.returncode == 1, module
        assert "must be set on a server." in done.stderr, module


def test_the_web_server_takes_its_settings(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gunicorn", "--check-config"]
    command += ["--config", "deploy/gunicorn.conf.py", "sellercentral.wsgi"]
    env = {"PATH": os.environ["PATH"], "STATIC_ROOT": str(tmp_path)} | RIGHT

    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
