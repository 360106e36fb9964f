"""The command that says which requirements are proved, and the list it reads."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from core import contract
from core.contract import Requirement, Verdict

ROOT = Path(settings.BASE_DIR)
MARKED = """
import pytest

pytestmark = pytest.mark.req("LIST-01")

@pytest.mark.req("SHIP-01", "SHIP-02")
@pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.req("SHIP-03"))])
def test_one(n): ...

class TestMore:
    @pytest.mark.req("SHIP-01")
    def test_two(self): ...

def helper(): ...
"""


def printed(*words: str) -> list[str]:
    out = io.StringIO()
    call_command("contract", *words, stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture
def marked_tests(tmp_path):
    folder = tmp_path / "tests" / "area"
    folder.mkdir(parents=True)
    (folder / "test_it.py").write_text(MARKED, encoding="utf-8")
    return tmp_path / "tests"


def test_marks_are_read_from_functions_classes_modules_and_cases(marked_tests):
    one, two = "tests/area/test_it.py::test_one", "tests/area/test_it.py::TestMore::test_two"
    assert contract.tests_by_requirement(marked_tests) == {
        "LIST-01": [one, two],
        "SHIP-01": [one, two],
        "SHIP-02": [one],
        "SHIP-03": [one],
    }


@pytest.mark.parametrize(
    ("waits_for", "ended", "verdict", "told"),
    [
        ("", ["passed", "passed"], Verdict.PROVED, "proved"),
        ("", ["passed", None], Verdict.PROVED, "proved"),
        ("claims", ["passed"], Verdict.WAITS, "waits-for claims"),
        ("claims", ["passed", "failed"], Verdict.FAILED, "failed"),
        ("", ["passed", "failed"], Verdict.FAILED, "failed"),
        ("", [None], Verdict.NOT_RUN, "not run"),
        ("", [], Verdict.UNPROVED, "unproved"),
        ("claims", [], Verdict.WAITS, "waits-for claims"),
    ],
)
def test_a_verdict_follows_from_how_the_tests_ended(waits_for, ended, verdict, told):
    asked = Requirement("SHIP-01", "SHIP", "M", waits_for, "Confirm")
    names = [f"t{number}" for number in range(len(ended))]
    known = {name: how for name, how in zip(names, ended, strict=True) if how}
    [line] = contract.judge([asked], {"SHIP-01": names}, known)
    assert (line.verdict, line.told) == (verdict, told)


def test_the_list_is_whole_and_every_mark_names_a_requirement():
    listed = contract.read(ROOT / "docs" / "contract.tsv")
    ids = [each.id for each in listed]
    assert len(ids) == len(set(ids)) == 530
    assert {each.priority for each in listed} == {"M", "S", "C"}
    assert all(each.title and each.id.startswith(each.area) for each in listed)
    # Marks may name letters, and rows of the reliability plan, which has lists of its own.
    other = re.compile(r"(FT|TH|SD|BI|PS)-[A-Z0-9]+|[KN]\d\d|G-\d+")
    marks = contract.tests_by_requirement(ROOT / "tests")
    assert [each for each in marks if each not in ids and not other.fullmatch(each)] == []


@pytest.mark.req("TECH-06")
def test_each_core_row_has_a_test_or_says_what_it_waits_for():
    tests = contract.tests_by_requirement(ROOT / "tests")
    core = [each for each in contract.read(ROOT / "docs" / "contract.tsv") if each.priority == "M"]
    assert [each.id for each in core if not each.waits_for and each.id not in tests] == []


def test_the_command_prints_each_row_and_counts_at_the_end(tmp_path):
    tests = contract.tests_by_requirement(ROOT / "tests")
    file = tmp_path / "contract.json"
    file.write_text(json.dumps(dict.fromkeys(tests["SHIP-09"], "passed")), encoding="utf-8")
    lines = printed("--area", "ship", "--results", str(file))
    [nine] = [line for line in lines if line.startswith("SHIP-09")]
    assert re.match(rf"SHIP-09 +proved +{len(tests['SHIP-09'])} tests  M  The first", nine)
    assert lines[-1].startswith(f"{len(lines) - 1} requirements: ")
    assert all(line.startswith("SHIP-") for line in lines[:-1])
    named = printed("--area", "SHIP", "--tests", "--results", str(file))
    assert f"    passed   {tests['SHIP-09'][0]}" in named


def test_the_command_knows_no_tests_before_they_ran(tmp_path):
    lines = printed("--results", str(tmp_path / "nothing.json"))
    assert len(lines) == 531
    assert "0 proved, 0 failed" in lines[-1]


def test_an_unknown_area_is_an_error():
    with pytest.raises(CommandError, match="There is no area NOSUCH"):
        printed("--area", "SHIP", "NOSUCH")


CASES = """
import pytest

@pytest.mark.parametrize("good", [False, True])
def test_cases(good):
    assert good

def test_plain(): ...
"""


def test_a_run_writes_down_how_its_tests_ended(tmp_path):
    """A test with a bad case has failed, whatever its other cases did; older outcomes stay."""
    (tmp_path / "contract.json").write_text('{"a.py::older": "passed"}', encoding="utf-8")
    (tmp_path / "test_now.py").write_text(CASES, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    env = {name: v for name, v in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"SELLERCENTRAL_RUNTIME_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    plugins = ["-p", "no:django", "-p", "no:cacheprovider", "-p", "tests.contract_plugin"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, "test_now.py"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert contract.outcomes(tmp_path / "contract.json") == {
        "a.py::older": "passed",
        "test_now.py::test_cases": "failed",
        "test_now.py::test_plain": "passed",
    }
