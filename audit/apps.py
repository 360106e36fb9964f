"""The one append-only history, and the register of submissions."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "audit"
