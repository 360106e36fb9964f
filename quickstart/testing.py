"""`run.py test`: the checks, then all tests; the exit status says whether everything passed."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from quickstart.browser import chromium
from quickstart.services import ROOT

TYPED = ["accounts", "audit", "catalog", "checkout", "core", "notifications", "operators", "orders"]
TYPED += ["payments", "reports", "sellercentral", "uploads", "quickstart", "run.py"]

# The import linter is no module that can be run; its command is called.
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
CHECKS = {
    "lint (ruff check)": ["-m", "ruff", "check", "."],
    "format (ruff format)": ["-m", "ruff", "format", "--check", "."],
    "import contracts (lint-imports)": ["-c", LINT_IMPORTS],
    "types (mypy)": ["-m", "mypy", *TYPED],
    "templates (djlint)": ["-m", "djlint", "templates", "--lint", "--quiet"],
}
SIDE_BY_SIDE = ["-n", "2", "--dist", "loadgroup", "--durations", "10"]


def main() -> int:
    """Run pytest with the words given, or everything when there are none."""
    named = sys.argv[1:]
    env = dict(os.environ, DJANGO_SETTINGS_MODULE="sellercentral.settings.test")
    if os.environ.get("BROWSER_TESTS") == "required" and chromium() is None:
        print("The browser tests are required, and there is no Chromium here.", file=sys.stderr)
        return 1
    failed = [] if named else [name for name in CHECKS if not _passes(name, env)]
    if failed:
        print(f"[test] Failed: {', '.join(failed)}. The tests are run all the same.", flush=True)
    # pytest's closing line stays the last one printed.
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", *(named or SIDE_BY_SIDE)], cwd=ROOT, env=env
    )
    return 1 if failed else tests.returncode


def _passes(name: str, env: dict[str, str]) -> bool:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, *CHECKS[name]],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    verdict = "FAILED" if done.returncode else "ok"
    print(f"[test] {name}: {verdict} ({time.monotonic() - started:.0f} s)", flush=True)
    if done.returncode:
        print(done.stdout, flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
