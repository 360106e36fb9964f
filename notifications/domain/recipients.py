"""Where a merchant's e-mails go: the one place that knows (NOTIF-03, SETTINGS-03)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from accounts.models import Membership, Merchant

MOST = 10  # addresses of one letter


def of_merchants(merchants: Iterable[Merchant]) -> Mapping[int, tuple[str, ...]]:
    """Return the addresses of each merchant's notifications.

    Whoever named none is told through the owners: N07 and N08 must reach somebody (NOTIF-05).
    """
    named = {merchant.pk: merchant.notification_email for merchant in merchants}
    owners: dict[int, list[str]] = defaultdict(list)
    unnamed = [pk for pk, email in named.items() if not email]
    if unnamed:
        rows = Membership.objects.filter(
            merchant__in=unnamed, is_owner=True, removed_at=None, user__is_active=True
        )
        for pk, email in rows.order_by("pk").values_list("merchant", "user__email"):
            owners[pk].append(email)
    return {pk: (email,) if email else tuple(owners[pk][:MOST]) for pk, email in named.items()}
