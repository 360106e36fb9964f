"""Writes down how each test ended, for ``manage.py contract``; also when tests run side by side."""

from __future__ import annotations

import json
import os

import pytest

from core.contract import FAILED, PASSED
from quickstart.services import runtime_path

_ended: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Fold the cases of one test: a failure in any of them, or in any step, is the test's."""
    test = report.nodeid.split("[")[0]
    if report.failed:
        _ended[test] = FAILED
    elif report.passed and report.when == "call":
        _ended.setdefault(test, PASSED)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Add this run's outcomes to those of tests that did not run now."""
    if "PYTEST_XDIST_WORKER" in os.environ or not _ended:
        return
    file = runtime_path() / "contract.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(known | _ended, indent=0, sort_keys=True), encoding="utf-8")
    fresh.replace(file)
