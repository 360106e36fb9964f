"""Indexes that jobs find their work by, and the key that lets some things happen only once."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

# A mail tells each of these, and it must leave once for ever. History only grows, so its own key
# is the one that lasts: timeline and mail come from one line, and there is no second line.
ONCE = """
CREATE UNIQUE INDEX CONCURRENTLY told_of_an_order_once ON audit_entry (order_id, event)
  WHERE event IN ('order.confirmation_warned', 'order.verification_delayed');
"""
NO_ONCE = "DROP INDEX CONCURRENTLY told_of_an_order_once;"


class Migration(migrations.Migration):
    atomic = False  # indexes on big tables are built alone, concurrently
    dependencies = [("orders", "0006_time_passes"), ("audit", "0003_append_only")]
    operations = [
        AddIndexConcurrently(
            "order",
            models.Index(
                name="orders_to_mail_about",
                fields=["email_warning_at"],
                condition=Q(status="unshipped"),
            ),
        ),
        AddIndexConcurrently(
            "order",
            models.Index(
                name="orders_to_be_delivered",
                fields=["deliver_to_date"],
                condition=Q(status="shipped", delivered_at=None),
            ),
        ),
        migrations.RunSQL(ONCE, NO_ONCE),
    ]
