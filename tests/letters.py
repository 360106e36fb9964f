"""What persons are written to: the letters owed so far, as their writers write them now."""

from __future__ import annotations

import re

from notifications.domain.letters import Letter, write
from notifications.models import Outbox

SITE = "http://localhost:8000"


def letters(kind: str = "") -> list[Letter]:
    """Return the letters to persons that would leave now, in the order they were owed."""
    rows = Outbox.objects.filter(channel=Outbox.Channel.PERSON_EMAIL).order_by("pk")
    written = write([row for row in rows if kind in ("", row.kind)])
    return [letter for _pk, letter in sorted(written.items()) if isinstance(letter, Letter)]


def link_in(letter: Letter, path: str) -> str:
    """Return the path of the one link of a letter that begins with ``path``."""
    [link] = re.findall(rf"^{re.escape(SITE)}({re.escape(path)}\S+)$", letter.body, re.MULTILINE)
    return link


def told(to: str) -> list[str]:
    """Return what a person was told of changes (N28), the sentence of each letter."""
    return [each.body.split("\n\n")[1] for each in letters("N28") if each.to == (to,)]
