"""Notes that staff leave on an order, never shown to the buyer (DETAIL-14)."""

from __future__ import annotations

from accounts.domain import calendar
from audit.domain import submissions
from audit.domain.submissions import Once
from core.actor import Actor
from core.transactions import unit_of_work
from orders.domain import lifecycle
from orders.enums import OrderEvent
from orders.models import OrderNote

ACTION = "note"


@unit_of_work
def add_note(*, order_id: int, text: str, by: Actor, once: Once | None = None) -> OrderNote:
    """Add a note; the history remembers that, not its words. Raises Refused: TOKEN_REUSED."""
    order = lifecycle.lock([order_id])[order_id]
    at = calendar.now_for(order.merchant)
    first = submissions.claim(once, merchant_id=order.merchant_id, action=ACTION, by=by, at=at)
    if first is not None:
        return OrderNote.objects.get(order=order, pk=first["note"])
    note = OrderNote.objects.create(
        merchant_id=order.merchant_id, order=order, text=text, written_at=at, written_by=by.name
    )
    lifecycle.remember([lifecycle.Change(order, OrderEvent.NOTE_ADDED, by, at)])
    submissions.conclude(once, merchant_id=order.merchant_id, result={"note": note.pk})
    return note
