"""Product and floor in turn, their medians, and what is said of them."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Act = Callable[[], float]
WARM = 3  # rounds that nobody counts


@dataclass(frozen=True, slots=True)
class Sample:
    """Measured values of one thing, in the unit of its figure."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """The distance between the quartiles."""
        if len(self.values) < 2:
            return 0.0
        low, _middle, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return high - low


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the benchmark: the product beside its floor, from the same run.

    unit: "ms", or "/s", where more is better. goal: the most the ratio may be, with "/s" the least;
    None when performance 2 sets none. database_ms: what of the product's time the database took.
    """

    workload: str
    case: str
    orders: int
    ours: Sample
    floor: Sample
    floor_is: str
    goal: float | None
    unit: str = "ms"
    database_ms: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours.median / self.floor.median

    @property
    def holds(self) -> bool:
        if self.goal is None:
            return True
        return self.ratio >= self.goal if self.unit == "/s" else self.ratio <= self.goal

    def line(self) -> str:
        """Say it in one line."""
        sign = "≥" if self.unit == "/s" else "≤"
        goal = "no goal" if self.goal is None else f"goal {sign} {self.goal:.2f}"
        judged = "" if self.goal is None else ("  ok" if self.holds else "  MISSED")
        within = "" if self.database_ms is None else f"  database {self.database_ms:.1f} ms"
        return (
            f"{self.workload:<7}{self.case:<34}{self.orders:>10,}  "
            f"{_amount(self.ours, self.unit)}  {self.floor_is} {_amount(self.floor, self.unit)}  "
            f"ratio {self.ratio:.2f}  {goal}{judged}{within}"
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "workload": self.workload,
            "case": self.case,
            "orders": self.orders,
            "unit": self.unit,
            "median": round(self.ours.median, 3),
            "spread": round(self.ours.spread, 3),
            "floor": self.floor_is,
            "floor_median": round(self.floor.median, 3),
            "floor_spread": round(self.floor.spread, 3),
            "ratio": round(self.ratio, 3),
            "goal": self.goal,
            "holds": self.holds,
            "rounds": len(self.ours.values),
        }


def in_turn(rounds: int, *acts: Act, warm: int = WARM) -> list[Sample]:
    """Run acts A B A B …; return what each said it took, round by round."""
    for _round in range(warm):
        for act in acts:
            act()
    gc.collect()
    values: list[list[float]] = [[] for _act in acts]
    for _round in range(rounds):
        for index, act in enumerate(acts):
            values[index].append(act())
    return [Sample(tuple(one)) for one in values]


def took(act: Callable[[], object]) -> Act:
    """Return the act that says how many milliseconds another one takes."""

    def run() -> float:
        started = time.perf_counter()
        act()
        return (time.perf_counter() - started) * 1000

    return run


def summary(figures: Sequence[Figure]) -> str:
    """Say how many goals hold, and name those that do not."""
    judged = [figure for figure in figures if figure.goal is not None]
    missed = [f"{one.workload} {one.case} at {one.orders:,}" for one in judged if not one.holds]
    text = f"{len(judged) - len(missed)} of {len(judged)} goals hold"
    return text + ("; missed: " + ", ".join(missed) if missed else "")


def _amount(sample: Sample, unit: str) -> str:
    return f"{sample.median:.1f} {unit} (spread {sample.spread:.1f})"
