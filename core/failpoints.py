"""Points at which a test lets a process fail; everywhere else ``hit`` does nothing (TH-64).

What is to happen stands in the file named by FAIL_POINTS_FILE, so that processes that run already
can be told: ``{"payment.after_call": {"act": "kill", "nth": 2}}``. Hits of points named there are
counted beside it, over all processes.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from django.conf import settings

ACTS = ("note", "raise", "sleep", "kill", "freeze")


class Failed(Exception):
    """Raised at a point that was told to raise."""


def hit(point: str) -> None:
    """Do what the file says about a point.

    act: ``note`` only counts; ``raise`` raises Failed; ``sleep`` waits so many ``seconds``;
    ``kill`` and ``freeze`` end or stop this process as kill -9 and kill -STOP do.
    nth: only this hit, counted from 1; without it every one.
    """
    if not settings.FAIL_POINTS_FILE:
        return
    told = _read(Path(settings.FAIL_POINTS_FILE)).get(point)
    if told is None:
        return
    number = _count(Path(settings.FAIL_POINTS_FILE), point)
    if told.get("nth") in (None, number):
        _do(told["act"], point, float(told.get("seconds", 1)))


def hits(file: Path) -> dict[str, int]:
    """Return how often each named point was met since its file's counts were last removed."""
    return _read(_counts(file))


def _do(act: str, point: str, seconds: float) -> None:
    if act == "raise":
        raise Failed(point)
    if act == "sleep":
        time.sleep(seconds)
    if act == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if act == "freeze":
        os.kill(os.getpid(), signal.SIGSTOP)


def _count(file: Path, point: str) -> int:
    with open(_counts(file), "a+", encoding="utf-8") as counts:
        fcntl.flock(counts, fcntl.LOCK_EX)
        counts.seek(0)
        known = json.loads(counts.read() or "{}")
        known[point] = known.get(point, 0) + 1
        counts.truncate(0)
        counts.write(json.dumps(known))
        return int(known[point])


def _counts(file: Path) -> Path:
    return file.with_suffix(".hits")


def _read(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8") or "{}"))
    except FileNotFoundError:
        return {}
