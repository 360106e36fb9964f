"""Who acts, by which door, with which rights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Door = Literal["form", "file", "api", "job", "gateway", "operator", "channel", "buyer"]

NONE, VIEW, EDIT = 0, 1, 2

# Doors of the platform itself: the table of moves bounds them, not a matrix of rights.
PLATFORM_DOORS = frozenset({"job", "gateway", "operator", "channel", "buyer"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and through which door; every entry of the history names both.

    name: as the history shows it ("Jo Adair", "API key shop", "auto-cancel").
    levels: by function of requirements section 9, 0 none, 1 view, 2 edit.
    owner: holds every right, whatever ``levels`` says.
    """

    door: Door
    name: str
    user_id: int | None = None
    levels: Mapping[str, int] = field(default_factory=dict)
    owner: bool = False

    def level(self, function: str) -> int:
        """Return what this actor may do with a function: 0 none, 1 view, 2 edit."""
        if self.owner or self.door in PLATFORM_DOORS:
            return EDIT
        return self.levels.get(function, NONE)

    def may_view(self, function: str) -> bool:
        return self.level(function) >= VIEW

    def may_edit(self, function: str) -> bool:
        return self.level(function) >= EDIT
