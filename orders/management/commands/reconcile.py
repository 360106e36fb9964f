"""Settle operations at the gateway that have no outcome, and list where the books differ."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.models import Entry
from core import restoring
from core.actor import Actor
from core.limits import long_statements
from notifications.domain import envelopes, outbox
from notifications.models import Outbox
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
            if restoring.since():
                self._tell_of_the_copy()
            elif not options["dry_run"]:
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

    def _tell_of_the_copy(self) -> None:
        """Say what a restored database cannot know: it is compared, and nothing is settled yet."""
        last = Entry.objects.order_by("-happened_at").values_list("happened_at", flat=True).first()
        known = f"{last:%F %T} UTC" if last else "nowhere"
        self.stdout.write(f"restored: the copy ends at {known}; jobs wait, nothing is settled")
        mails = Outbox.objects.filter(channel__in=outbox.MAILS, state=Outbox.State.QUEUED)
        for row in mails.select_related("order").order_by("pk"):
            about = f"{row.kind} of {row.order}" if row.order else row.kind
            self.stdout.write(f"unsure: {about} {envelopes.message_id(row)}")
