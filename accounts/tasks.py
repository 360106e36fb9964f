"""What workers do for accounts; each looks for work itself."""

from __future__ import annotations

from collections.abc import Iterator

from accounts.domain import recovery
from core.jobs import Done, Planned, job


def _planned_resets() -> Iterator[Planned]:
    for reset in recovery.due():
        yield Planned(f"user {reset.user_id}", "send a link to a new password", ("N29",))


@job("send-password-resets", plan=_planned_resets)
def send_password_resets() -> Done:
    """Send the links to new passwords that people asked for."""
    return Done({"password resets tried": recovery.send_due()})
