"""What the product writes to its log, read as whoever watches it reads it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.logs import JsonLines

Line = dict[str, Any]


class Kept(logging.Handler):
    """Keeps each line as it was formatted at its moment, as standard output gets it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(JsonLines())
        self.text: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.text.append(self.format(record))

    def named(self, *events: str) -> list[Line]:
        """Return the lines of these events, in their order."""
        return [line for line in map(json.loads, self.text) if line["event"] in events]


@contextmanager
def lines() -> Iterator[Kept]:
    """Keep what is logged in the enclosed code, at the level that servers log at."""
    root, kept = logging.getLogger(), Kept()
    before = root.level
    root.addHandler(kept)
    root.setLevel(logging.INFO)
    try:
        yield kept
    finally:
        root.setLevel(before)
        root.removeHandler(kept)
