"""The quick start and work on the code: plain HTTP on one's own machine."""

import os
import secrets

import environ

from quickstart.services import runtime_path

# Commands join what `run.py` runs: its servers and key stand in this file while it does.
_running = runtime_path() / "env"
if "DATABASE_URL" not in os.environ and _running.exists():
    environ.Env.read_env(_running)

from sellercentral.settings.base import *  # noqa: E402, F403

# Without a key of one's own: a new one each time, never one that others know.
SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(50)
SANDBOX_SIGN_INS = True
ADMIN_SITE = True
MAIL_VIEWER = True
