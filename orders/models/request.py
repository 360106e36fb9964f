"""What a buyer asks for: to have an order cancelled that nobody has shipped yet."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Merchant
from orders.enums import OPEN_REQUESTS, RequestReason, RequestState
from orders.models.order import Order
from orders.querysets import RequestManager

_OPEN = Q(state__in=[state.value for state in OPEN_REQUESTS])


class BuyerRequest(models.Model):
    """One cancellation request and what became of it (BUYERCANCEL-02 to -07).

    answer_by_at: until when the merchant should answer; null where the platform alone does (Prime).
    told_at: when the buyer was told that no answer had come.
    escalated_at: since when it stands in the operators' queue.
    answer: the merchant's text to the buyer, sent exactly as typed.
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="requests", db_constraint=False)
    reason = models.CharField(max_length=20, choices=RequestReason)
    state = models.CharField(max_length=9, choices=RequestState, default=RequestState.OPEN)
    filed_at = models.DateTimeField()
    answer_by_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=100, blank=True)
    answer = models.TextField(max_length=1000, blank=True)

    objects = RequestManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_open_request_per_order", fields=["order"], condition=_OPEN
            ),
            models.CheckConstraint(
                name="request_state_known", condition=Q(state__in=RequestState.values)
            ),
            models.CheckConstraint(
                name="request_reason_known", condition=Q(reason__in=RequestReason.values)
            ),
            models.CheckConstraint(
                name="a_closed_request_says_when",
                condition=(_OPEN & Q(closed_at__isnull=True))
                | (~_OPEN & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="a_declined_request_has_an_answer",
                condition=~Q(state=RequestState.DECLINED, answer=""),
            ),
            models.CheckConstraint(
                name="an_escalated_request_says_since_when",
                condition=~Q(state=RequestState.ESCALATED, escalated_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                name="requests_to_answer",
                fields=["merchant", "answer_by_at"],
                condition=_OPEN & Q(answer_by_at__isnull=False),
            ),
            models.Index(
                name="requests_overdue",
                fields=["answer_by_at"],
                condition=Q(state=RequestState.OPEN, told_at__isnull=True),
            ),
            models.Index(
                name="requests_escalated",
                fields=["escalated_at"],
                condition=Q(state=RequestState.ESCALATED),
            ),
        ]

    def __str__(self) -> str:
        return f"cancellation request of order {self.order_id}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_REQUESTS
