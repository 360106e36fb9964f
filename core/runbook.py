"""Where it is written what to do when something is amiss."""

from __future__ import annotations

PAGE = "docs/runbook.md"


def runbook(heading: str) -> str:
    """Return the part of the runbook that an alert leads to, as log lines and mails name it."""
    return f"{PAGE}#{heading}"
