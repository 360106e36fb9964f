"""Accounts as operators see them; secrets are left out, and nothing can be changed here."""

from __future__ import annotations

from importlib import import_module

from allauth.account.decorators import secure_admin_login
from django.contrib import admin

from accounts.models import ApiKey, Holiday, Marketplace, Membership, Merchant, User
from core.admin import ReadOnly

# By the product's own sign-in, whose tries are counted.
_login = secure_admin_login(admin.site.login)
_login.admin_site = admin.site
admin.site.login = _login  # type: ignore[method-assign]

# The libraries' own pages could change rows: they are read first, so that none comes back later.
for _library in ("django.contrib.auth.admin", "allauth.account.admin"):
    import_module(_library)
_LABELS = ("auth", "account")
admin.site.unregister([each for each in admin.site._registry if each._meta.app_label in _LABELS])


@admin.register(User)
class UserAdmin(ReadOnly):
    list_display = ("name", "email", "is_active", "last_login")
    search_fields = ("name", "email")
    exclude = ("password",)


@admin.register(Merchant)
class MerchantAdmin(ReadOnly):
    list_display = ("display_name", "slug", "marketplace", "state", "is_sandbox")
    list_select_related = ("marketplace",)
    search_fields = ("name", "slug")


@admin.register(Membership)
class MembershipAdmin(ReadOnly):
    list_display = ("user", "merchant", "preset", "is_owner", "removed_at")
    list_select_related = ("user", "merchant")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly):
    list_display = ("name", "prefix", "merchant", "created_at", "last_used_at", "revoked_at")
    list_select_related = ("merchant",)
    exclude = ("digest",)


admin.site.register(Marketplace, ReadOnly)
admin.site.register(Holiday, ReadOnly)
