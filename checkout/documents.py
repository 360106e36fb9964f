"""The receipt of an order: what its buyer paid and got back, in the seller's name (BUYER-04)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from core.refusal import Refusal
from orders import documents
from orders.enums import COMPONENT_LABELS, COMPONENTS, RefundState
from orders.models import Item, Order, Refund
from orders.models.order import sign_of

STYLE = "css/receipt.css"
_TAXES = [component for component in COMPONENTS if component.endswith("_tax")]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Everything the sheet shows. issuer: lines under the seller's name. refunds: completed ones.

    tax: how much of the total is tax. left: what was paid less what came back.
    """

    order: Order
    issuer: Sequence[str]
    items: Sequence[Item]
    totals: Sequence[tuple[Any, Decimal]]
    tax: Decimal
    refunds: Sequence[Refund]
    left: Decimal


def why_none(order: Order) -> Refusal | None:
    """Return why an order has no receipt yet, or None when its buyer can print one."""
    if order.has_receipt:
        return None
    return Refusal("NOT_CHARGED", _("There is a receipt once your order is charged."))


def receipt_of(order: Order) -> Receipt:
    """Collect what the sheet shows. order: with merchant and marketplace."""
    items = list(Item.objects.of_orders([order.pk]))
    done = Refund.objects.filter(order=order, state=RefundState.COMPLETED)
    refunds = list(done.order_by("number"))
    given_back = sum((refund.total for refund in refunds), Decimal(0))
    return Receipt(
        order=order,
        issuer=documents.sender_lines(order.merchant, order.marketplace.language[:2]),
        items=items,
        totals=totals_of(items),
        tax=sum((item.paid(tax) for item in items for tax in _TAXES), Decimal(0)),
        refunds=refunds,
        left=order.total - given_back,
    )


def render_pdf(receipt: Receipt) -> bytes:
    """Return the sheet as a PDF file.

    Raises PdfUnavailable, TooLong and Unfinished as packing slips do (``orders.documents``).
    """
    order = receipt.order
    context = {
        "receipt": receipt,
        "order": order,
        "seller": order.merchant,
        "marketplace": order.marketplace,
        "language": order.marketplace.language,
    }
    html = render_to_string("documents/receipt.html", context)
    title = _("Receipt for order %s") % order.number
    return documents.print_html([html], STYLE, title, lines=len(receipt.items))


def totals_of(items: Sequence[Item]) -> list[tuple[Any, Decimal]]:
    """Return what the total is made of, component by component; what is zero is left out."""
    sums = [(c, sum((item.paid(c) for item in items), Decimal(0))) for c in COMPONENTS]
    return [(COMPONENT_LABELS[c], sign_of(c) * amount) for c, amount in sums if amount]
