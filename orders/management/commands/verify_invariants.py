"""Re-prove on the data what must never be false."""

import dataclasses
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Merchant
from core.limits import long_statements
from orders.domain import invariants


class Command(BaseCommand):
    help = "Check money, units, states, history and stock on the data; exit 1 on any violation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--merchant", help="slug; all merchants when it is left out")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        merchant_id = None
        if options["merchant"]:
            merchant_id = (
                Merchant.objects.filter(slug=options["merchant"])
                .values_list("pk", flat=True)
                .first()
            )
            if merchant_id is None:
                raise CommandError(f"There is no merchant {options['merchant']}.")
        with long_statements():
            found = invariants.verify(merchant_id=merchant_id)
            sums = invariants.sums()
        if options["json"]:
            told = {
                "violations": {
                    k: [dataclasses.asdict(v) for v in rows] for k, rows in found.items()
                },
                "sums": [dataclasses.asdict(row) for row in sums],
            }
            self.stdout.write(json.dumps(told, default=str))
        else:
            for name, rows in found.items():
                self.stdout.write(f"{'VIOLATED' if rows else 'ok':>9}  {name}")
                for row in rows:
                    self.stdout.write(
                        f"           merchant {row.merchant_id}, order {row.order_id}: {row.what}"
                    )
            for one in sums:
                self.stdout.write(
                    f"{one.merchant}: {one.orders:,} orders,"
                    f" charged {one.charged:,}, refunded {one.refunded:,}"
                )
        if any(found.values()):
            sys.exit(1)
