"""The gateway, operations at it, the payments behind orders and the money ledger."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"
