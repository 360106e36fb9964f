"""Measure the product beside the same work by hand, on data of its own."""

import json
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.module_loading import import_string

from core import roles
from orders.bench import FURTHER, databases, pages, placing, plans, slips, sweeping, web
from orders.bench.databases import Filled
from orders.bench.desk import Desk
from orders.bench.measure import Figure, summary

WORKLOADS = ("list", "search", "home", "detail", "slips", "place", "sweep", "http")
BASE = 10_000  # the size that whole requests are compared with
SIZES = (10_000, 100_000, 1_000_000)


class Command(BaseCommand):
    help = (
        "Measure workloads in turn with their floors: medians, spread between the quartiles, ratio"
        " and goal. Fills databases of its own beside the product's; exits 0 whatever the figures."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        names = ", ".join([*WORKLOADS, *FURTHER])
        parser.add_argument("workload", nargs="*", help=f"of {names}; all if none")
        parser.add_argument(
            "--orders", nargs="+", type=int, default=SIZES, help="sizes of the shop"
        )
        parser.add_argument("--rounds", type=int, default=25)
        parser.add_argument("--explain", action="store_true", help="print the plans of the largest")
        parser.add_argument("--json", type=Path, help="write the figures to this file")
        parser.add_argument("--keep", action="store_true", help="keep the databases for next time")
        parser.add_argument("--drop", action="store_true", help="drop what was kept, do no more")

    def handle(self, *args: Any, **options: Any) -> None:
        with roles.owner_signed_in():  # who may make databases, and fill them by sets
            self._work(options)

    def _work(self, options: dict[str, Any]) -> None:
        if options["drop"]:
            for name in databases.drop_all():
                self._say(f"dropped {name}")
            return
        wanted = options["workload"] or [*WORKLOADS, *FURTHER]
        if unknown := set(wanted) - {*WORKLOADS, *FURTHER}:
            raise CommandError(f"No such workload: {', '.join(sorted(unknown))}.")
        if min(options["orders"]) < 20 or options["rounds"] < 1:
            raise CommandError("At least 20 orders and one round are needed.")
        try:
            self._measure(wanted, options)
        finally:
            if not options["keep"]:
                databases.drop_all()

    def _measure(self, wanted: Sequence[str], options: dict[str, Any]) -> None:
        sizes = sorted({*options["orders"], min(BASE, *options["orders"])})
        try:
            filled = [databases.open_filled(orders, say=self._say) for orders in sizes]
        except databases.CannotFill as why:
            raise CommandError(str(why)) from why
        figures = []
        try:
            for figure in self._figures(wanted, filled, options["rounds"]):
                self._say(figure.line())
                figures.append(figure)
            if options["explain"]:
                self._explain(Desk(filled[-1]))
        finally:
            for one in filled:
                one.close()
        self._say(summary(figures))
        if options["json"]:
            options["json"].write_text(_as_json(figures), encoding="utf-8")

    def _figures(
        self, wanted: Sequence[str], filled: Sequence[Filled], rounds: int
    ) -> Iterator[Figure]:
        desks = [Desk(one) for one in filled]
        base, largest = desks[0], desks[-1]
        few = max(rounds // 4, 1)
        for desk in desks:
            if "list" in wanted:
                yield from pages.lists(desk, base, rounds)
            if desk is base:
                continue
            if "search" in wanted:
                yield from pages.searches(desk, base, rounds)
            if "home" in wanted:
                yield from pages.homes(desk, base, rounds)
            if "detail" in wanted:
                yield from pages.details(desk, base, rounds)
        if "slips" in wanted:
            yield from slips.figures(largest.filled, few)
        for name, figures in FURTHER.items():
            if name in wanted:
                yield from import_string(figures)(largest.filled, few)
        if "http" in wanted:
            yield from web.figures(largest.filled, few)
        if "place" in wanted:  # the last two: they add orders
            yield from placing.figures(largest.filled, few)
        if "sweep" in wanted:
            yield from sweeping.figures(largest.filled, few)

    def _explain(self, desk: Desk) -> None:
        whole: list[str] = []
        for plan in plans.plans(desk):
            self._say(f"\n-- {plan.page} at {desk.filled.orders:,} orders\n{plan.statement}")
            self._say(plan.text)
            whole += [f"{plan.page}: {table}" for table in plan.whole]
        found = "sequential scans: " + ", ".join(whole) if whole else "no sequential scan"
        self._say(f"\n{found}")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _as_json(figures: Sequence[Figure]) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgres,) = cursor.fetchone()
    where = {"python": platform.python_version(), "postgres": postgres, "cpu": platform.machine()}
    told = {"where": where, "figures": [figure.as_json() for figure in figures]}
    return json.dumps(told, indent=2) + "\n"
