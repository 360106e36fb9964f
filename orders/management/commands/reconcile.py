"""Settle operations at the gateway that have no outcome, and list where the books differ."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.actor import Actor
from core.limits import long_statements
from orders.domain import settling


class Command(BaseCommand):
    help = (
        "Ask the gateway about operations without an outcome and finish them; never pays again."
        " Exit 1 when something stays open or the books differ."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say it, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        with long_statements():
            if not options["dry_run"]:
                by = Actor("job", "reconcile")
                for one in settling.settle_open_operations(by=by, limit=100_000):
                    self.stdout.write(f"{one.operation}: {one.outcome}")
            waiting = settling.open_operations()
            for operation in waiting:
                self.stdout.write(f"open: {operation} since {operation.created_at:%F %T}")
            different = settling.differences()
        for difference in different:
            self.stdout.write(f"differs: {difference}")
        self.stdout.write(f"{len(waiting)} open, {len(different)} different")
        if waiting or different:
            sys.exit(1)
