"""The drawn state machine."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from orders.domain.moves import MOVES


@pytest.mark.req("TECH-10", "INV-04")
def test_the_page_of_states_is_drawn_from_the_table(tmp_path):
    drawn = tmp_path / "states.md"
    call_command("draw_states", drawn, stdout=io.StringIO())
    text = drawn.read_text(encoding="utf-8")
    assert text == (Path(settings.BASE_DIR) / "docs" / "states.md").read_text(encoding="utf-8")
    arrows = [line for line in text.splitlines() if " --> " in line and "[*]" not in line]
    assert len(arrows) == len(MOVES)
    assert "    unshipped --> shipped: T06 confirm" in arrows
