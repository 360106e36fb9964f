"""Run a job of the timetable by hand."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import clock, jobs
from core.instants import read_instant


class Command(BaseCommand):
    help = "Run a job of the timetable now, until nothing is left to do; or say what it would do."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", help="the job; without one, all are named")
        parser.add_argument("--dry-run", action="store_true", help="print the plan, change nothing")
        parser.add_argument("--once", action="store_true", help="one batch only")
        parser.add_argument(
            "--now", type=read_instant, help="as if it were this instant; with test settings only"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["name"] is None:
            for name in sorted(jobs.JOBS):
                self.stdout.write(name)
            return
        if options["name"] not in jobs.JOBS:
            raise CommandError(
                f"There is no job {options['name']}; run_job without a name lists all."
            )
        if options["now"] is None:
            self._act(options)
            return
        self._act_at(options["now"], options)

    def _act_at(self, at: datetime, options: dict[str, Any]) -> None:
        try:
            with clock.stopped(at):
                self._act(options)
        except RuntimeError as error:
            raise CommandError(str(error)) from error

    def _act(self, options: dict[str, Any]) -> None:
        if options["dry_run"]:
            self._plan(jobs.JOBS[options["name"]])
            return
        counts = jobs.run(options["name"], once=options["once"])
        if counts is None:
            self.stdout.write("It is running elsewhere.")
        else:
            done = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()) if count)
            self.stdout.write(done or "Nothing was due.")

    def _plan(self, job: jobs.Job) -> None:
        count = 0
        for planned in job.plan():
            count += 1
            messages = f" ({', '.join(planned.messages)})" if planned.messages else ""
            refusal = f" REFUSED: {planned.refusal}" if planned.refusal else ""
            self.stdout.write(f"{planned.subject}: {planned.act}{messages}{refusal}")
        self.stdout.write(f"{count} planned; nothing was changed.")
