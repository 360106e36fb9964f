"""What `run.py` says when it cannot start, before it has started anything."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def start(runtime: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"SELLERCENTRAL_RUNTIME_DIR": str(runtime)} | variables
    return subprocess.run(
        [sys.executable, "-m", "quickstart"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_taken_port_is_named_with_another_to_choose(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = start(tmp_path, PORT=str(port))

    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"Port {port} is taken (Address already in use)."
        f" Choose another:  PORT={port + 1} python3 run.py"
    )
    assert done.stdout == ""


@pytest.mark.parametrize("port", ["eighty", "0", "65536", "-1", "8000 "])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    done = start(tmp_path, PORT=port)

    assert done.returncode == 1
    assert done.stderr.strip() == f"PORT is a number from 1 to 65535, not {port!r}."


def test_a_second_instance_is_told_that_one_runs(tmp_path: Path) -> None:
    with open(tmp_path / "lock", "a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = start(tmp_path)

    assert done.returncode == 1
    assert done.stderr.strip() == f"Already running here (see {tmp_path / 'lock'})."


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    done = start(tmp_path / "file" / "runtime")

    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path / 'file' / 'runtime'} cannot be used")
    assert "Traceback" not in done.stderr


def test_the_two_commands_explain_themselves() -> None:
    done = subprocess.run(
        [sys.executable, "run.py", "--help"], cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 0
    assert "python3 run.py test" in done.stdout


def test_a_command_without_a_database_says_what_to_start(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "run.py", "verify_invariants"],
        cwd=ROOT,
        env=os.environ
        | {
            "SELLERCENTRAL_RUNTIME_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "sellercentral.settings.dev",
            "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nowhere",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 1
    assert "The database cannot be reached" in done.stderr
    assert "python3 run.py" in done.stderr
    assert "Traceback" not in done.stderr
