"""The platform's own console: what happens when nobody looks, for those who must know."""

from django.apps import AppConfig


class OperatorsConfig(AppConfig):
    name = "operators"

    def ready(self) -> None:
        from operators import letters  # noqa: F401  the outbox asks it for its kind
