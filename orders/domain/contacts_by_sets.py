"""The one way to personal data, written by sets: for files of a million rows.

The single verb is ``contacts.for_merchant``; a property test holds the two together. The
expressions read an order ``o``, its marketplace ``m`` and what ``JOIN`` adds.
"""

from __future__ import annotations

from collections.abc import Mapping

from orders.domain.contacts import HIDDEN
from orders.enums import FulfilmentChannel

# Where contacts are hidden there is no row, and every expression below is NULL.
JOIN = (
    "LEFT JOIN orders_contact c ON c.order_id = o.id AND o.status NOT IN ("
    + ", ".join(f"'{status.value}'" for status in sorted(HIDDEN))
    + ")"
)

# By fields of ``contacts.ContactView`` and ``contacts.Address``; ``%(gone)s`` stands for the words
# about an address that is no longer kept (``contacts.gone``).
SHOWN: Mapping[str, str] = {
    "buyer_email": "CASE m.buyer_email_mode WHEN 'relay' THEN c.relay_email ELSE c.buyer_email END",
    "buyer_phone": (
        f"CASE WHEN o.fulfilment_channel = '{FulfilmentChannel.MERCHANT.value}'"
        " AND o.delivered_at IS NULL THEN c.buyer_phone END"
    ),
    "recipient_name": ("CASE WHEN c.blanked_at IS NULL THEN c.recipient_name ELSE %(gone)s END"),
    "address_1": "c.address_1",
    "address_2": "c.address_2",
    "address_3": "c.address_3",
    "city": "c.city",
    "region": "c.region",
    "postal_code": "c.postal_code",
    "country": "c.country",
}
