"""Order reports."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self) -> None:
        from orders.bench import FURTHER

        FURTHER["report"] = "reports.bench.figures"
