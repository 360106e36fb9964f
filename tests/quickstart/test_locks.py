"""The lists of packages: whole, hashed, and without a word about where they come from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from django.db.backends.postgresql.psycopg_any import is_psycopg3

ROOT = Path(__file__).resolve().parents[2]
LISTS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DIRECT = {
    "runtime": PROJECT["project"]["dependencies"],
    "test": PROJECT["dependency-groups"]["test"],
    "check": PROJECT["dependency-groups"]["check"],
}
OWNERS_CHOICE = {
    "django",
    "djangorestframework",
    "celery",
    "redis",
    "psycopg2-binary",
    "weasyprint",
    "pytest-django",
    "factory-boy",
}


def names(words: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~! ;]", word, maxsplit=1)[0].lower() for word in words}


def locked(name: str) -> dict[str, str]:
    """Return the packages of a list with all that stands behind each."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text().replace("\\\n", " ")
    lines = [line.split(None, 1) for line in text.splitlines() if line and line[0] not in " #"]
    return {line[0].partition("==")[0]: line[1] for line in lines}


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_a_list_holds_no_address(path: Path) -> None:
    text = path.read_text()

    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_every_package_of_a_list_has_a_version_and_a_hash(path: Path) -> None:
    for name, rest in locked(path.stem).items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", rest), name
    assert len(locked(path.stem)) == len(re.findall(r"(?m)^[a-z0-9._-]+==", path.read_text()))


@pytest.mark.parametrize("group", DIRECT)
def test_every_direct_dependency_is_locked(group: str) -> None:
    available = set(locked(group)) | set(locked("runtime"))

    assert names(DIRECT[group]) - available == set()


@pytest.mark.parametrize("group", DIRECT)
def test_the_newer_driver_is_in_no_list(group: str) -> None:
    """Django prefers it silently as soon as it can be imported."""
    assert {"psycopg", "psycopg-binary", "psycopg-c"} & set(locked(group)) == set()


def test_the_database_is_reached_by_the_chosen_driver() -> None:
    assert is_psycopg3 is False


@pytest.mark.req("TECH-01")
def test_the_owners_packages_are_named() -> None:
    assert names([word for group in DIRECT.values() for word in group]) >= OWNERS_CHOICE


@pytest.mark.req("TECH-02")
def test_the_top_level_is_as_the_owner_gave_it() -> None:
    given = "manage.py sellercentral orders reports uploads notifications templates static tests"
    given += " docker-compose.yml pyproject.toml README.md"

    assert [name for name in given.split() if not (ROOT / name).exists()] == []
