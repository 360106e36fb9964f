"""How many orders of each status a merchant has, by day of purchase."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Merchant
from orders.enums import STATUS_RANK


class DayTally(models.Model):
    """Orders of one merchant, status and UTC day of purchase; triggers of the database keep it.

    So that a range is counted from its days instead of its orders (performance 3).
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    day = models.DateField()
    status_rank = models.PositiveSmallIntegerField()
    orders = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_tally_per_day_and_status", fields=["merchant", "status_rank", "day"]
            ),
            models.CheckConstraint(name="tally_is_never_below_zero", condition=Q(orders__gte=0)),
            models.CheckConstraint(
                name="tally_status_known", condition=Q(status_rank__in=tuple(STATUS_RANK.values()))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.status_rank}: {self.orders}"
