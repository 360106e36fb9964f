"""The buyer's addresses (requirements section 10)."""

from django.urls import path

from checkout.views import cancelling, changing, order, paying

app_name = "checkout"

urlpatterns = [
    path("<str:signed>/", order.your_order, name="order"),
    path("<str:signed>/change/", changing.change_order, name="change"),
    path("<str:signed>/cancel/", cancelling.cancel_order, name="cancel"),
    path("<str:signed>/customer-service/", cancelling.pass_on, name="pass_on"),
    path("<str:signed>/payment/", paying.instructions, name="payment"),
]
