from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from accounts.models import Merchant
    from catalog.models import Listing  # noqa: F401  named in QuerySet["Listing"]


class ListingQuerySet(models.QuerySet["Listing"]):
    def for_merchant(self, merchant: Merchant | int) -> ListingQuerySet:
        return self.filter(merchant=merchant)

    def locked(self) -> ListingQuerySet:
        """Lock the rows, in key order so that two writers cannot deadlock."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)


ListingManager = models.Manager.from_queryset(ListingQuerySet)
