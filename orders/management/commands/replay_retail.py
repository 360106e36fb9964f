"""Replay a recorded year of a real shop as one merchant's orders."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.domain import members
from accounts.models import Merchant, User
from core.actor import Actor
from core.limits import long_statements
from orders.domain import demo
from orders.imports import replay, retail_year
from orders.imports.lines import FileError

SLUG, OWNER = "retail-year", "robin@retail-year.example"


class Command(BaseCommand):
    help = (
        "Turn the Online Retail file (CSV, plain or gzip) into listings and orders of one merchant,"
        " shifted in time so that the newest order is now. A stopped run goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--merchant", default=SLUG, help="slug; made when it is not there")
        parser.add_argument("--limit", type=int, help="only the newest so many invoices")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            year = retail_year.read(options["file"])
        except FileError as error:  # nothing is made of what cannot be read
            raise CommandError(str(error)) from error
        merchant = self._merchant(options["merchant"])
        self._say(started, f"{year.lines:,} lines read, {len(year.invoices):,} orders among them")
        with long_statements():
            told = replay.replay(
                merchant, year, say=lambda text: self._say(started, text), limit=options["limit"]
            )
        self._say(
            started,
            f"{told.orders:,} orders placed with {told.items:,} items; {told.known:,} known before",
        )
        for what, count in sorted(told.counts.items()):
            self.stdout.write(f"  {count:>8,}  {what}")
        for refused in told.refused[:50]:
            self.stderr.write(f"  refused: {refused}")
        if told.refused:
            self.stdout.write(f"  {len(told.refused):>8,}  refused")

    def _merchant(self, slug: str) -> Merchant:
        by = Actor("job", "replay")
        known = Merchant.objects.select_related("marketplace").filter(slug=slug).first()
        if known is not None:
            return known
        merchant = members.open_account(
            name="Retail Year Ltd",
            slug=slug,
            marketplace="UK_CHECKOUT",
            by=by,
            address_1="1 Warehouse Way",
            city="London",
            postal_code="E1 6AN",
            is_sandbox=True,
        )
        if slug == SLUG and not User.objects.filter(email=OWNER).exists():
            owner = User.objects.create_user(OWNER, demo.PASSWORD, name="Robin Hale")
            members.add_owner(merchant=merchant, user=owner, by=by)
            self.stdout.write(f"sign in as {OWNER}  {demo.PASSWORD}")
        return merchant

    def _say(self, started: float, text: str) -> None:
        self.stdout.write(f"[{time.monotonic() - started:6.1f}s] {text}")
        self.stdout.flush()
