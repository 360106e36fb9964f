"""The checks of the test command find what they are for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from quickstart.testing import CHECKS, LONG_NUMBERS, SIDE_BY_SIDE, asked

BAD = {
    "lint (ruff check)": ("core/bad.py", "import os\n"),
    "format (ruff format)": ("core/bad.py", "x   =  1\n"),
    "import contracts (lint-imports)": ("core/bad.py", "from orders import enums\n"),
    "types (mypy)": ("run.py", "x: int = 'one'\n"),
    "templates (djlint)": ("templates/bad.html", "<div><img src='x'></div>\n"),
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_fails_when_there_is_something_to_find(name: str, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    command = CHECKS[name]
    if name.startswith("types"):
        command = [*command[:2], "--config-file=", "run.py"]
    elif not name.startswith("import"):
        command = [part if part != "templates" else "templates/bad.html" for part in command]
    else:  # the contracts are about all of the packages
        shutil.copytree(root, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    path, text = BAD[name]
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text(text)

    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )

    assert done.returncode != 0, done.stdout + done.stderr
    assert Path(path).name.split(".")[0] in done.stdout + done.stderr


@pytest.mark.req("INV-17")
@pytest.mark.parametrize(
    ("contract", "path", "text"),
    [
        ("Between apps", "core/bad.py", "from orders import enums\n"),
        ("Inside an app", "orders/models/bad.py", "from orders.views import detail\n"),
        ("Domain code knows nothing of the web", "orders/domain/bad.py", "import weasyprint\n"),
        ("Only the ORM talks to the database driver", "core/bad.py", "import psycopg2\n"),
        (
            "Personal data has one door",
            "orders/views/bad.py",
            "from orders.models import contact\n",
        ),
        ("Personal data has one door", "operators/bad.py", "import orders.models.contact\n"),
    ],
)
def test_each_contract_of_imports_is_seen_to_break(
    contract: str, path: str, text: str, tmp_path: Path
) -> None:
    root = Path(__file__).resolve().parents[2]
    shutil.copytree(root, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    (tmp_path / path).write_text(text)
    command = [sys.executable, *CHECKS["import contracts (lint-imports)"]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert f"{contract} BROKEN" in done.stdout


@pytest.mark.req("G-1", "G-2", "G-3")
def test_one_word_asks_for_the_large_numbers() -> None:
    """What is set already stays, so that one can ask for fewer."""
    words, env = asked(["long"], {"RACE_ROUNDS": "2000"})
    assert words == ["-m", "failures or race or model or long", *SIDE_BY_SIDE]
    settings = {"DJANGO_SETTINGS_MODULE": "sellercentral.settings.test"}
    assert env == LONG_NUMBERS | settings | {"RACE_ROUNDS": "2000"}
    some = ["tests/failures/test_storm.py", "-k", "storm"]
    assert asked(["long", *some], {})[0][2:] == some
    assert asked(some, {}) == (some, settings)
    assert asked([], {}) == ([], settings)
