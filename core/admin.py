"""The framework's own pages for operators: for looking, never for changing.

What may be changed is changed by the verbs of the domain, which check, lock and remember it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest  # noqa: TID251  the framework's own signature

if TYPE_CHECKING:
    _Page = admin.ModelAdmin[Any]
else:
    _Page = admin.ModelAdmin  # takes its type argument in the stubs only


class ReadOnly(_Page):
    """Shows rows to staff with the permission to view them; adds, changes, deletes nothing."""

    actions = None
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
