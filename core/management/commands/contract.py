"""Print how each requirement stands: proved, unproved, or waiting for a later area."""

from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import contract
from quickstart.services import runtime_path


class Command(BaseCommand):
    help = (
        "Print each requirement with its verdict and its tests, as the last test run left them."
        " A test proves what its mark req(…) names."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--area", nargs="+", help="SHIP LIST …; all when it is left out")
        parser.add_argument("--tests", action="store_true", help="name the tests, too")
        parser.add_argument("--results", type=Path, help="how the tests ended, as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        root = Path(settings.BASE_DIR)
        wanted = contract.read(root / "docs" / "contract.tsv")
        tests = contract.tests_by_requirement(root / "tests")
        areas = {area.upper() for area in options["area"] or ()}
        if unknown := areas - {each.area for each in wanted}:
            raise CommandError(f"There is no area {', '.join(sorted(unknown))}.")
        if areas:
            wanted = [each for each in wanted if each.area in areas]
        ended = contract.outcomes(options["results"] or runtime_path() / "contract.json")
        lines = contract.judge(wanted, tests, ended)
        for line in lines:
            asked = line.requirement
            self.stdout.write(
                f"{asked.id:<14}  {line.told:<28}  {len(line.tests):>3} tests"
                f"  {asked.priority}  {asked.title}"
            )
            if options["tests"]:
                for test in line.tests:
                    self.stdout.write(f"    {ended.get(test, 'not run'):<8} {test}")
        counts = Counter(line.verdict for line in lines)
        told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in contract.Verdict)
        self.stdout.write(f"{len(lines)} requirements: {told}")
