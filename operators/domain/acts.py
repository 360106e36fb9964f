"""What an operator does, each time with a note and a line in the operators' own history."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from audit.domain import operators as history
from core import clock, jobs
from core.actor import Actor
from core.refusal import Refusal, Refused
from core.transactions import unit_of_work
from notifications.domain import outbox
from notifications.models import Outbox
from orders.domain import settling
from payments.models import Operation

MAX_NOTE = 500


@unit_of_work
def run_job(*, name: str, note: str, by: Actor) -> None:
    """Ask a worker to run a job now. Raises Refused: NOT_FOUND, INVALID_INPUT."""
    job = jobs.JOBS.get(name)
    if job is None:
        raise Refused(Refusal("NOT_FOUND", _("There is no job %s.") % name[:40]))
    _remember(by, "job.run", name, note)
    jobs.nudge(job.task)


@unit_of_work
def send_again(*, message_id: int, note: str, by: Actor) -> None:
    """Put a message that failed back among those to be sent, with all its attempts.

    Raises Refused: NOT_FOUND when it has left meanwhile, INVALID_INPUT.
    """
    _move(
        message_id,
        {
            "state": Outbox.State.QUEUED,
            "attempts": 0,
            "lease_until": None,
            "last_error": "",
            "finished_at": None,
        },
    )
    _remember(by, "message.send_again", str(message_id), note)
    jobs.nudge(outbox.SEND)


@unit_of_work
def give_up(*, message_id: int, note: str, by: Actor) -> None:
    """Leave a message that cannot be sent unsent, for good. Raises Refused as ``send_again``."""
    _move(message_id, {"state": Outbox.State.DROPPED, "lease_until": None})
    _remember(by, "message.give_up", str(message_id), note)


def ask_gateway(*, operation_id: int, note: str, by: Actor) -> str:
    """Ask the gateway now what became of an operation; return "done", "failed" or "no answer".

    Asked under no lock, as the job does it. Raises Refused: NOT_FOUND, INVALID_INPUT.
    """
    operation = Operation.objects.filter(pk=operation_id, state=Operation.State.INTENDED).first()
    if operation is None:
        raise Refused(Refusal("NOT_FOUND", _("This operation has its outcome already.")))
    with transaction.atomic():
        _remember(by, "operation.ask", str(operation_id), note)
    return settling.settle(operation, by=Actor("job", f"operator {by.name}"[:100])).outcome


def _move(message_id: int, values: dict[str, object]) -> None:
    """Change a message that waits or failed, unless a sender holds it at this moment."""
    now = clock.now()
    waiting = Outbox.objects.filter(
        pk=message_id, state__in=[Outbox.State.QUEUED, Outbox.State.FAILED]
    ).exclude(lease_until__gt=now)
    row = waiting.select_for_update().first()
    if row is None:
        raise Refused(Refusal("NOT_FOUND", _("This message has left, or is leaving just now.")))
    values.setdefault("available_at", row.available_at)
    Outbox.objects.filter(pk=row.pk).update(**values)


def _remember(by: Actor, act: str, subject: str, note: str) -> None:
    note = note.strip()
    if not note:
        raise Refused(Refusal("INVALID_INPUT", _("Say why, in a few words."), field="note"))
    if len(note) > MAX_NOTE:
        text = _("The note must be 500 characters or fewer.")
        raise Refused(Refusal("INVALID_INPUT", text, field="note"))
    history.remember(by=by, act=act, subject=subject, note=note, at=clock.now())
