"""Marketplaces, merchants, their members and what each may do."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import checks  # noqa: F401  registers itself
        from accounts.domain import letters  # noqa: F401  registers the writers
