"""Move the clock of a sandbox merchant forward."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.domain import calendar, sandbox
from accounts.models import Merchant
from core.actor import Actor
from core.instants import read_instant
from core.refusal import Refused
from orders.domain import upcoming

BY = Actor("operator", "move_clock")


class Command(BaseCommand):
    help = "Move the clock of a sandbox merchant forward; the jobs then do what has become due."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--merchant", required=True, metavar="SLUG")
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--days", type=int, metavar="N", help="so many days")
        how.add_argument("--to-warning", action="store_true", help="to the next warning")
        how.add_argument("--to-deadline", action="store_true", help="to the next deadline")
        how.add_argument("--to", type=read_instant, metavar="INSTANT", help="2026-12-08T09:30:00Z")

    def handle(self, *args: Any, **options: Any) -> None:
        merchant = Merchant.objects.filter(slug=options["merchant"]).first()
        if merchant is None:
            raise CommandError(f"There is no merchant {options['merchant']}.")
        try:
            moved = self._move(merchant, options)
        except (Refused, OverflowError) as refused:
            raise CommandError(str(refused)) from refused
        now = calendar.now_for(moved)
        self.stdout.write(f"{moved}: the clock is now at {now:%Y-%m-%dT%H:%M:%SZ}")

    def _move(self, merchant: Merchant, options: dict[str, Any]) -> Merchant:
        if options["days"] is not None:
            forward = timedelta(days=options["days"])
            return sandbox.move_clock(merchant_id=merchant.pk, by=BY, forward=forward)
        to = options["to"]
        if to is None:
            step = "warning" if options["to_warning"] else "deadline"
            to = upcoming.instant_of(step, merchant)
        return sandbox.move_clock(merchant_id=merchant.pk, by=BY, to=to)
