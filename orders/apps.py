"""Orders, items, packages, refunds and cancellations."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from orders import checks  # noqa: F401  registers them
        from orders.letters import writing  # noqa: F401  registers the letters
