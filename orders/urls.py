"""The order desk's addresses (requirements section 10)."""

from django.urls import path

from orders.views import (
    answering,
    cancelling,
    dates,
    delivering,
    detail,
    listing,
    refunding,
    shipping,
    slips,
)

app_name = "orders"

urlpatterns = [
    path("", listing.manage_orders, name="list"),
    path("preferences/", listing.preferences, name="preferences"),
    path("packing-slips.pdf", slips.bulk_pdf, name="slips_pdf"),
    path("<str:number>/", detail.order_details, name="detail"),
    path("<str:number>/notes/", detail.add_note, name="note"),
    path("<str:number>/confirm-shipment/", shipping.confirm_shipment, name="confirm"),
    path("<str:number>/cancellation-request/", answering.answer_request, name="answer_request"),
    path("<str:number>/cancel/", cancelling.cancel_order, name="cancel"),
    path("<str:number>/refund/", refunding.refund_order, name="refund"),
    path("<str:number>/dates/", dates.revise_dates, name="dates"),
    path("<str:number>/delivered/", delivering.mark_delivered, name="delivered"),
    path("<str:number>/packing-slip/", slips.packing_slip, name="slip"),
    path("<str:number>/packing-slip.pdf", slips.packing_slip_pdf, name="slip_pdf"),
]
