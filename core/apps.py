"""Small named modules that know no other app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        autodiscover_modules("tasks")  # the web process, too, knows every task by name
        from core import checks  # noqa: F401  registers them
