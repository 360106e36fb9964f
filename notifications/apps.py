"""The outbox: messages owed because of facts."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
