"""Order reports and figures; its pages come with their own step."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"
