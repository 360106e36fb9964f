"""Security events: the list of them, and the one way into the log (reliability 5, ASVS V16.3).

All lines of the logger ``security`` are of this list and none of these events is told elsewhere, so
that whoever watches needs to know one name.
"""

from __future__ import annotations

import logging
from enum import StrEnum

log = logging.getLogger("security")


class Event(StrEnum):
    """What is told, each with what its ``code`` says."""

    SIGNED_IN = "sign_in.succeeded"
    SIGN_IN_FAILED = "sign_in.failed"
    SIGNED_OUT = "sign_out"
    PASSWORD_REFUSED = "password.refused"  # asked for again before something about signing in
    CODE_REFUSED = "second_step.failed"
    PERMISSION_REFUSED = "permission.refused"  # the permission that is missing
    OPERATOR_REFUSED = "operator.refused"
    SCOPE_REFUSED = "scope.refused"  # what of another merchant was asked for
    FORM_REFUSED = "form.of_another"  # whose it was: "account", "person"
    LIMIT_REFUSED = "limit.refused"  # the limit
    CSRF_REFUSED = "csrf.refused"
    INPUT_REFUSED = "input.refused"  # where no form would have let it through: "path" …
    KEY_REFUSED = "key.refused"  # "unknown", "revoked"
    KEY_EXPOSED = "key.without_https"
    SIGNATURE_REFUSED = "gateway.signature_refused"
    LINK_REFUSED = "link.refused"  # where it should have led: "buyer", "invitation", "reset"
    GUARD_VIOLATED = "guard.violated"  # the constraint that refused
    POLICY_VIOLATED = "csp.violation"  # the directive that was broken


_LEVELS = {
    Event.SIGNED_IN: logging.INFO,
    Event.SIGNED_OUT: logging.INFO,
    Event.GUARD_VIOLATED: logging.ERROR,
}


def note(
    event: Event,
    code: str = "",
    *,
    user: int | None = None,
    merchant: int | None = None,
    order: int | None = None,
    alert: str = "",
) -> None:
    """Write the line of an event: ids and words of ours, never anything that was typed."""
    told: dict[str, object] = {
        "code": code,
        "user": user,
        "merchant": merchant,
        "order": order,
        "alert": alert,
    }
    level = _LEVELS.get(event, logging.WARNING)
    log.log(level, event.value, extra={name: v for name, v in told.items() if v not in ("", None)})
