"""Deny by default: no address without a declaration of who may come (INV-18)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver

# Open to everybody, by name: what comes before sign-in, and what machines ask.
PUBLIC = frozenset(
    {
        "root",
        "account_login",
        "account_second_step",
        "account_logout",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "health_live",
        "health_ready",
        "metrics",
        "csp_report",
        "invitation",
        "schema",
        "seller_profile",
        "seller_logo",
    }
)


@register()
def every_view_declares_access(
    app_configs: Sequence[AppConfig] | None = None, urlconf: str = "", **kwargs: Any
) -> list[CheckMessage]:
    """Name the addresses whose view says nothing about who may come."""
    return [
        Error(
            f"The address /{address} declares no access.",
            hint="Decorate its view with accounts.access.needs(…) or orders.access.order_needs(…).",
            id="accounts.E001",
        )
        for address, pattern in patterns(urlconf or settings.ROOT_URLCONF)
        if pattern.name not in PUBLIC and not declares(pattern.callback)
    ]


_TOLD = ("access", "for_operators", "admin_site", "model_admin")


def declares(view: Any) -> bool:
    """Tell whether a view says who may come.

    A page does by ``needs``, the API by its permissions; the admin site lets in staff alone.
    """
    if any(getattr(view, told, None) for told in _TOLD):
        return True
    needed = getattr(getattr(view, "cls", None), "permission_classes", ())
    return bool(needed) and all(each.__name__ != "AllowAny" for each in needed)


def patterns(urlconf: str) -> Iterator[tuple[str, URLPattern]]:
    """Yield every address of the product with its pattern."""
    yield from _below(get_resolver(urlconf), "")


def _below(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for each in resolver.url_patterns:
        address = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _below(each, address)
        else:
            yield address, each
