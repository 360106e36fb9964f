"""Bring orders in from a tab-delimited file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Merchant
from core.actor import Actor
from core.limits import long_statements
from orders.imports import lines, tab_file


class Command(BaseCommand):
    help = (
        "Place the orders of a tab-delimited file, columns as in the Orders report. Each order"
        " stands alone; order-id is the shop's own number, so a second run places nothing twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--merchant", required=True, help="the merchant's slug")
        parser.add_argument(
            "--listings",
            choices=["create", "refuse"],
            default="create",
            help="what to do with products not met before",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        merchant = (
            Merchant.objects.select_related("marketplace").filter(slug=options["merchant"]).first()
        )
        if merchant is None:
            raise CommandError(f"There is no merchant {options['merchant']}.")
        text = self._text(options["file"], tab_file.encoding_of(merchant.marketplace))
        summary = tab_file.Summary()
        by = Actor("file", f"import of {options['file'].name}"[:100], owner=True)
        create = options["listings"] == "create"
        try:
            with long_statements():
                for done, outcome in enumerate(
                    tab_file.bring_in(merchant, text, by=by, create_listings=create), start=1
                ):
                    summary.take(outcome)
                    if done % 1000 == 0:
                        self.stdout.write(f"{done} orders …")
        except lines.FileError as error:
            raise CommandError(str(error)) from error
        for failed in summary.failed:
            order = lines.told(failed.number)
            self.stderr.write(f"line {failed.line}, order {order}: {failed.error}")
        self.stdout.write(
            f"{summary.placed} placed, {summary.known} known already, {len(summary.failed)} refused"
        )
        if summary.failed:
            raise CommandError("Some orders were refused; the others are placed.")

    def _text(self, path: Path, fallback: str) -> str:
        try:
            with path.open("rb") as file:  # one byte more than allowed tells that it is too large
                return lines.decode(file.read(lines.LARGEST + 1), fallback=fallback)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        except lines.FileError as error:
            raise CommandError(str(error)) from error
