"""Sends the outbox in processes that are killed on the way: `python -m tests.killed_mail`.

Reads a JSON list of points from standard input; each is one process that takes what is due and dies
by SIGKILL at its point, with the first mail it gets there with.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import django

from tests.killed import and_die, die

POINTS = (
    "before the claim is committed",
    "after the claim is committed",
    "before the hand-over",
    "after the hand-over",
    "after the record",
)


def send_and_die(point: str) -> None:
    from notifications.domain import dispatch, letters
    from notifications.domain.mail_server import MailServer

    if point == POINTS[0]:
        dispatch._claim = in_its_transaction(dispatch._claim)
    elif point == POINTS[1]:
        letters.write = die
    elif point == POINTS[2]:
        MailServer.hand_over = die
    elif point == POINTS[3]:
        MailServer.hand_over = and_die(MailServer.hand_over)
    elif point == POINTS[4]:
        dispatch._settle = and_die(dispatch._settle)
    dispatch.send_due()
    die()


def in_its_transaction(claim):
    """Run to the end of a function's own transaction and die within it."""
    from django.db import transaction

    def run(*args):
        with transaction.atomic():
            claim.__wrapped__(*args)
            die()

    return run


def main() -> int:
    django.setup()
    for point in json.load(sys.stdin):
        child = os.fork()
        if child == 0:
            send_and_die(point)
        _pid, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            print(f"{point} was not killed: {status}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
