"""`run.py test`: the checks, then all tests; the exit status says whether everything passed."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from quickstart import services

LINTED = ["accounts", "audit", "catalog", "core", "notifications", "orders", "payments", "reports"]
LINTED += ["sellercentral", "uploads"]

CHECKS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "import contracts": ["importlinter.cli", "lint"],
    "types": ["mypy", *LINTED, "quickstart"],
    "templates": ["djlint", "templates", "--lint", "--quiet"],
}


def main() -> int:
    only = sys.argv[1:]
    env = dict(os.environ, DJANGO_SETTINGS_MODULE="sellercentral.settings.test")
    failed = (
        [] if only else [name for name, words in CHECKS.items() if not passes(name, words, env)]
    )
    arguments = only or ["-n", "2", "--dist", "loadgroup", "--durations", "10"]
    tests = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=services.ROOT, env=env)
    if failed:
        print(f"\nFailed before the tests: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else tests.returncode


def passes(name: str, words: list[str], env: dict[str, str]) -> bool:
    started = time.monotonic()
    command = [sys.executable, "-m", *words]
    done = subprocess.run(
        command,
        cwd=services.ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    verdict = "ok" if done.returncode == 0 else "FAILED"
    print(f"[test] {name}: {verdict} ({time.monotonic() - started:.0f} s)", flush=True)
    if done.returncode:
        print(done.stdout, flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
