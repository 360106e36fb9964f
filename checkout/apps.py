"""The buyer's own pages of an order, behind a signed link."""

from django.apps import AppConfig


class CheckoutConfig(AppConfig):
    name = "checkout"
