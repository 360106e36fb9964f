"""`run.py test`: the checks, then all tests; the exit status says whether everything passed.

`run.py test long` runs with large numbers what otherwise runs with small ones: failures, races and
the model of orders (reliability section 7); what is set already stays as it is. It takes a night.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

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
LONG_NUMBERS = {
    "FAILURES": "long",  # leases and ticks of the product's own, 1,000 kills, 30 pairs (G-3, G-4)
    "RACE_ROUNDS": "50000",  # of each race (G-1)
    "MODEL_LIVES": "5000",  # of 60 steps (G-2)
}
LONG_TESTS = "failures or race or model or long"
SIDE_BY_SIDE = ["-n", "2", "--dist", "loadgroup", "--durations", "10"]


def main() -> int:
    """Run pytest with the words given, or everything when there are none."""
    named, env = asked(sys.argv[1:], os.environ)
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


def asked(words: Sequence[str], environ: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return what goes to pytest, and the variables that it sees."""
    env = {**environ, "DJANGO_SETTINGS_MODULE": "sellercentral.settings.test"}
    if list(words[:1]) != ["long"]:
        return list(words), env
    return ["-m", LONG_TESTS, *(words[1:] or SIDE_BY_SIDE)], LONG_NUMBERS | env


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
