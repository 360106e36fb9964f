"""Which requirements have a passing test, which have none, and which wait for a later area.

The list is ``docs/contract.tsv``; the tests say what they prove by ``@pytest.mark.req("SHIP-09")``;
the plugin ``tests.contract_plugin`` writes down how each test ended.
"""

from __future__ import annotations

import ast
import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

PASSED, FAILED = "passed", "failed"


class Verdict(StrEnum):
    PROVED = "proved"
    FAILED = "failed"
    NOT_RUN = "not run"
    UNPROVED = "unproved"
    WAITS = "waits-for"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of the contract. priority: M core, S stated, C small; waits_for: a later area."""

    id: str
    area: str
    priority: str
    waits_for: str
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """A requirement with the tests that name it, as node ids of pytest."""

    requirement: Requirement
    verdict: Verdict
    tests: tuple[str, ...]

    @property
    def told(self) -> str:
        """Return the verdict in words: "proved", "waits-for claims"."""
        if self.verdict is Verdict.WAITS:
            return f"{self.verdict} {self.requirement.waits_for}"
        return self.verdict


def read(file: Path) -> list[Requirement]:
    """Read the list of requirements, in its order."""
    with file.open(encoding="utf-8", newline="") as text:
        return [
            Requirement(row["id"], row["area"], row["priority"], row["waits-for"], row["title"])
            for row in csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE)
        ]


def tests_by_requirement(folder: Path) -> dict[str, list[str]]:
    """Return the tests below a folder by the ids in their marks; the code is read, not run."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(folder.rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        name = file.relative_to(folder.parent).as_posix()
        for test, ids in _marked(tree.body, _module_marks(tree)):
            for each in sorted(ids):
                found[each].append(f"{name}::{test}")
    return dict(found)


def outcomes(file: Path) -> dict[str, str]:
    """Return how each test ended when it last ran; empty before the first run."""
    if not file.exists():
        return {}
    told: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return told


def judge(
    requirements: Sequence[Requirement],
    tests: Mapping[str, Sequence[str]],
    ended: Mapping[str, str],
) -> list[Line]:
    """Say of each requirement how it stands; one failed test outweighs any that passed."""
    return [
        Line(each, _verdict(each, [ended.get(test) for test in naming]), tuple(naming))
        for each in requirements
        for naming in [tests.get(each.id, ())]
    ]


def _verdict(requirement: Requirement, ended: Sequence[str | None]) -> Verdict:
    """Judge by the tests; what waits for an area is not proved, though what there is has tests."""
    if FAILED in ended:
        return Verdict.FAILED
    if requirement.waits_for:
        return Verdict.WAITS
    if PASSED in ended:
        return Verdict.PROVED
    return Verdict.NOT_RUN if ended else Verdict.UNPROVED


def _marked(body: Sequence[ast.stmt], above: set[str]) -> Iterator[tuple[str, set[str]]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            inside = above | _ids(node.decorator_list)
            for name, ids in _marked(node.body, inside):
                yield f"{node.name}::{name}", ids
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            ids = above | _ids(node.decorator_list)
            if ids:
                yield node.name, ids


def _module_marks(tree: ast.Module) -> set[str]:
    return {
        each
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets)
        for each in _ids([node.value])
    }


def _ids(expressions: Sequence[ast.expr]) -> set[str]:
    """Return the words given to ``mark.req(…)`` anywhere in the expressions."""
    return {
        argument.value
        for expression in expressions
        for node in ast.walk(expression)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "req"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
