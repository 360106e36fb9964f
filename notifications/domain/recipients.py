"""Where a merchant's e-mails go: the one place that knows (NOTIF-03, SETTINGS-03)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accounts.models import Membership, Merchant

MOST = 10  # addresses of one letter
WARNINGS = frozenset({"N07", "N08"})


@dataclass(frozen=True, slots=True)
class Addresses:
    """A merchant's addresses of the Order Notification settings. warnings: for N07 and N08."""

    orders: tuple[str, ...]
    warnings: tuple[str, ...]

    def of(self, kind: str) -> tuple[str, ...]:
        return self.warnings if kind in WARNINGS else self.orders


def of_merchants(merchants: Iterable[Merchant]) -> Mapping[int, Addresses]:
    """Return the addresses of each merchant.

    Whoever named none is told through the owners: N07 and N08 must reach somebody (NOTIF-05).
    """
    named = {merchant.pk: merchant for merchant in merchants}
    owners: dict[int, list[str]] = defaultdict(list)
    unnamed = [pk for pk, merchant in named.items() if not merchant.notification_emails]
    if unnamed:
        rows = Membership.objects.filter(
            merchant__in=unnamed, is_owner=True, removed_at=None, user__is_active=True
        )
        for pk, email in rows.order_by("pk").values_list("merchant", "user__email"):
            owners[pk].append(email)
    addresses = {}
    for pk, merchant in named.items():
        orders = tuple(merchant.notification_emails or owners[pk])[:MOST]
        warnings = (merchant.claim_email,) if merchant.claim_email else orders
        addresses[pk] = Addresses(orders, warnings)
    return addresses
