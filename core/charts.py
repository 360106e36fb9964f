"""Charts drawn on the server: numbers to the geometry of a picture; a template draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 760, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 752, 12, 170  # edges of the plot in that picture
_BAR = 0.64  # of the room a bar has


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the scale: its value, its height, and the height of its number."""

    value: int
    y: float
    text_y: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. middle: where its name stands."""

    name: str
    value: int
    x: float
    y: float
    height: float
    middle: float


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart: scale from the bottom, bars from the left, each ``width`` wide."""

    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    width: float


def bars(values: Sequence[tuple[str, int]]) -> Bars:
    """Lay out named numbers, zero or more each, as bars over a round scale of four steps."""
    step = _round_step(max((value for _name, value in values), default=0))
    room = (_RIGHT - _LEFT) / max(len(values), 1)

    def height(value: float) -> float:
        return round((_BOTTOM - _TOP) * value / (4 * step), 1)

    return Bars(
        ticks=tuple(
            Tick(step * n, _BOTTOM - height(step * n), _BOTTOM - height(step * n) + 4)
            for n in range(5)
        ),
        bars=tuple(
            Bar(
                name,
                value,
                x=round(_LEFT + room * (place + (1 - _BAR) / 2), 1),
                y=round(_BOTTOM - height(value), 1),
                height=height(value),
                middle=round(_LEFT + room * (place + 0.5), 1),
            )
            for place, (name, value) in enumerate(values)
        ),
        width=round(room * _BAR, 1),
    )


def _round_step(highest: int) -> int:
    """Return the smallest of 1, 2, 3, 4, 5, 10, 20 … of which four reach the highest value."""
    power = 1
    while True:
        for digit in (1, 2, 3, 4, 5):
            if 4 * digit * power >= highest:
                return digit * power
        power *= 10
