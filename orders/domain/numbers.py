"""Order IDs and order-item-ids: 3-7-7 digits, drawn, not counted (INTEGRATION-12)."""

from __future__ import annotations

import re
import secrets

ORDER_ID = re.compile(r"[0-9]{3}-[0-9]{7}-[0-9]{7}", re.ASCII)


def draw() -> str:
    """Return a fresh number; the unique key of its column settles the rare second draw."""
    digits = f"{secrets.randbelow(10**16):016d}"
    return f"2{digits[:2]}-{digits[2:9]}-{digits[9:]}"


def normalised(text: str) -> str | None:
    """Read an Order ID as typed, with or without hyphens; None when it is none (SEARCH-07)."""
    text = text.strip()
    if re.fullmatch(r"[0-9]{17}", text, re.ASCII):
        text = f"{text[:3]}-{text[3:10]}-{text[10:]}"
    return text if ORDER_ID.fullmatch(text) else None
