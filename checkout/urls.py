"""The buyer's addresses (requirements section 10)."""

from django.urls import path

from checkout.views import cancelling, changing, order, paying, receipt

app_name = "checkout"

urlpatterns = [
    path("<str:signed>/", order.your_order, name="order"),
    path("<str:signed>/change/", changing.change_order, name="change"),
    path("<str:signed>/cancel/", cancelling.cancel_order, name="cancel"),
    path("<str:signed>/customer-service/", cancelling.pass_on, name="pass_on"),
    path("<str:signed>/payment/", paying.instructions, name="payment"),
    path("<str:signed>/receipt/", receipt.receipt, name="receipt"),
    path("<str:signed>/receipt.pdf", receipt.receipt_pdf, name="receipt_pdf"),
]
