"""Orders, items, packages, refunds and cancellations."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"
