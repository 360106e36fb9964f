"""The quick start and work on the code: plain HTTP on one's own machine."""

import os
from pathlib import Path

import environ

# Commands join what `run.py` runs: its servers and key stand in this file while it does.
_state = Path(
    os.environ.get("SELLERCENTRAL_RUNTIME_DIR", Path(__file__).resolve().parents[2] / ".runtime")
)
if "DATABASE_URL" not in os.environ and (_state / "env").exists():
    environ.Env.read_env(_state / "env")

from sellercentral.settings.base import *  # noqa: E402, F403

SECRET_KEY = os.environ.get("SECRET_KEY", "only-for-development-" + "0" * 40)
SANDBOX_SIGN_INS = True
