"""Say that the database was restored from an older copy, and later that all is compared."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import restoring
from core.runbook import runbook


class Command(BaseCommand):
    help = (
        "After a restore, before anything is started: jobs wait, so that nothing is sent or asked"
        " for twice. With --end they go on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--end", action="store_true", help="all is compared: let jobs go on")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["end"]:
            self.stdout.write("Jobs go on." if restoring.end() else "No job waited.")
            return
        marked = restoring.mark()
        self.stdout.write(f"Jobs wait since {marked:%F %T} UTC; {runbook('restored')} goes on.")
