"""Cancellation requests of buyers, and what becomes of them (BUYERCANCEL-02 to -07).

Accepting one ends the order: that is a verb of ``cancellations`` (T12).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import F
from django.utils.translation import gettext as _

from audit.domain import submissions
from audit.domain.submissions import Once
from core import clock
from core.actor import Actor
from core.refusal import Refusal, Refused
from core.transactions import unit_of_work
from orders.domain import guards, lifecycle, packages
from orders.domain.drafts import is_plain
from orders.enums import Act, OrderEvent, RequestReason, RequestState
from orders.models import BuyerRequest, Order
from orders.querysets import RequestQuerySet
from payments.domain import operations

FILE, DECLINE, ESCALATE = "request", "decline_request", "escalate_request"
MAX_ANSWER = 1000  # characters of the merchant's text

log = logging.getLogger(__name__)


def to_answer(merchant_id: int) -> RequestQuerySet:
    """Return the requests a merchant should answer, the most pressing first, with their orders.

    Each says until when: ``answer_by_at``. Source: HOME-03, BUYERCANCEL-03.
    """
    asked = BuyerRequest.objects.for_merchant(merchant_id).to_answer()
    return asked.select_related("order").order_by("answer_by_at", "pk")


def open_of(order_ids: Iterable[int]) -> dict[int, BuyerRequest]:
    """Return the open request of each order that has one, by order."""
    rows = BuyerRequest.objects.open().filter(order_id__in=list(order_ids))
    return {request.order_id: request for request in rows}


def were_filed(order_ids: Iterable[int]) -> set[int]:
    """Return the orders whose buyer has ever asked officially (PERF-04)."""
    asked = BuyerRequest.objects.filter(order_id__in=list(order_ids))
    return set(asked.values_list("order_id", flat=True))


@unit_of_work
def file_request(
    *, order_id: int, reason: RequestReason, by: Actor, once: Once | None = None
) -> BuyerRequest:
    """File a buyer's request; the order stays as it is and its merchant is asked for an answer.

    Where the platform serves the buyer (Prime) it stands in the operators' queue at once.
    Raises Refused: those of ``guards`` for Act.FILE_REQUEST, TOKEN_REUSED.
    Source: BUYERCANCEL-02, -03, -06, -07.
    """
    order = _lock(order_id)
    at = lifecycle.Instants(None).of(order)
    first = submissions.claim(once, merchant_id=order.merchant_id, action=FILE, by=by, at=at)
    if first is not None:
        return BuyerRequest.objects.get(pk=first["request"])
    _ask(Act.FILE_REQUEST, order, by, at)
    hours = order.marketplace.buyer_cancel_response_hours
    for_platform = order.served_by_platform
    request = BuyerRequest.objects.create(
        merchant_id=order.merchant_id,
        order=order,
        reason=reason,
        state=RequestState.ESCALATED if for_platform else RequestState.OPEN,
        filed_at=at,
        answer_by_at=None if for_platform else at + timedelta(hours=hours),
        escalated_at=at if for_platform else None,
    )
    result = {"request": request.pk}
    submissions.conclude(once, merchant_id=order.merchant_id, result=result)
    after = {"request": request.pk, "reason": reason.value, "to_platform": for_platform}
    event = OrderEvent.REQUEST_FILED
    lifecycle.record([lifecycle.Change(order, event, by, at, after=after, about=result)])
    return request


@unit_of_work
def decline(
    *, order_id: int, answer: str, by: Actor, seen: int | None = None, once: Once | None = None
) -> BuyerRequest:
    """Decline the open request with a text that goes to the buyer as typed (N21).

    Raises Refused: those of ``guards`` for Act.DECLINE_REQUEST, INVALID_INPUT (field ``answer``),
        TOKEN_REUSED.
    Source: BUYERCANCEL-04.
    """
    order = _lock(order_id)
    at = lifecycle.Instants(None).of(order)
    first = submissions.claim(once, merchant_id=order.merchant_id, action=DECLINE, by=by, at=at)
    if first is not None:
        return BuyerRequest.objects.get(pk=first["request"])
    request = _ask(Act.DECLINE_REQUEST, order, by, at, seen)
    if not answer.strip() or len(answer) > MAX_ANSWER or not is_plain(answer, lines=True):
        told = _("Write 1 to 1,000 characters to the buyer.")
        raise Refused(Refusal("INVALID_INPUT", told, field="answer"))
    assert request is not None, "the guards saw it"
    request.answer = answer
    close(request, RequestState.DECLINED, by=by, at=at)
    result = {"request": request.pk}
    submissions.conclude(once, merchant_id=order.merchant_id, result=result)
    event = OrderEvent.REQUEST_DECLINED
    lifecycle.record([lifecycle.Change(order, event, by, at, after=result, about=result)])
    return request


@unit_of_work
def escalate(*, order_id: int, by: Actor) -> BuyerRequest:
    """Pass a request that the merchant left unanswered to customer service.

    It enters the operators' queue; the merchant can answer until an operator acts. Asked again it
    stays where it is. Raises Refused: those of ``guards`` for Act.ESCALATE_REQUEST.
    Source: BUYERCANCEL-05.
    """
    order = _lock(order_id)
    at = lifecycle.Instants(None).of(order)
    known = open_of([order.pk]).get(order.pk)
    if known is not None and known.state == RequestState.ESCALATED:
        return known
    request = _ask(Act.ESCALATE_REQUEST, order, by, at)
    assert request is not None, "the guards saw it"
    request.state, request.escalated_at = RequestState.ESCALATED, at
    request.save(update_fields=["state", "escalated_at"])
    told = {"request": request.pk}
    event = OrderEvent.REQUEST_ESCALATED
    lifecycle.remember([lifecycle.Change(order, event, by, at, after=told)])
    return request


def overdue() -> RequestQuerySet:
    """Return requests whose time for an answer is over and whose buyer is not told yet."""
    return (
        BuyerRequest.objects.filter(
            state=RequestState.OPEN,
            told_at__isnull=True,
            answer_by_at__lte=clock.now() + F("merchant__clock_ahead"),
        )
        .select_related("order")
        .order_by("answer_by_at", "pk")
    )


def tell_overdue(*, by: Actor, limit: int = 200) -> tuple[int, int]:
    """Tell the buyers of overdue requests that none came (N22); return how many, and failures.

    Each stands alone: one that cannot be told is logged and tried again with the next run.
    """
    told = failed = 0
    for order_id in list(overdue().values_list("order_id", flat=True)[:limit]):
        try:
            told += _tell(order_id, by=by)
        except Exception:
            log.exception("request.failed", extra={"order": order_id})
            failed += 1
    return told, failed


def close(request: BuyerRequest, state: RequestState, *, by: Actor, at: datetime) -> None:
    """Write how an open request ended, in the transaction that ends it, with its order locked."""
    request.state, request.closed_at, request.closed_by = state, at, by.name
    request.save(update_fields=["state", "closed_at", "closed_by", "answer"])


def close_for_shipped(
    shipped: Sequence[tuple[Order, Actor]], instants: lifecycle.Instants
) -> list[lifecycle.Change]:
    """Close requests of orders that somebody ships; return what is to be told (SHIP-23)."""
    changes = []
    known = open_of(order.pk for order, _by in shipped)
    for order, by in shipped:
        if (request := known.get(order.pk)) is not None:
            at, told = instants.of(order), {"request": request.pk}
            close(request, RequestState.SHIPPED, by=by, at=at)
            event = OrderEvent.REQUEST_CLOSED
            changes.append(lifecycle.Change(order, event, by, at, after=told, about=told))
    return changes


@unit_of_work
def _tell(order_id: int, *, by: Actor) -> int:
    order = _lock(order_id)
    request = overdue().filter(order=order).first()
    if request is None:  # answered meanwhile, or told by another worker
        return 0
    request.told_at = at = lifecycle.Instants(None).of(order)
    request.save(update_fields=["told_at"])
    told = {"request": request.pk}
    event = OrderEvent.REQUEST_OVERDUE
    lifecycle.remember([lifecycle.Change(order, event, by, at, after=told, about=told)])
    return 1


def _lock(order_id: int) -> Order:
    order = lifecycle.lock([order_id]).get(order_id)
    if order is None:
        raise Refused(packages.no_such_order())
    return order


def _ask(
    act: Act, order: Order, by: Actor, at: datetime, seen: int | None = None
) -> BuyerRequest | None:
    """Let the guards speak; return the order's open request."""
    request = open_of([order.pk]).get(order.pk)
    confirming = bool(operations.open_captures([order.pk]))
    refusal = guards.ask(act, guards.Facts(order, by, at, confirming, seen, request))
    if refusal is not None:
        raise Refused(refusal)
    return request
