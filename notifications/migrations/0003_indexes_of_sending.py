"""Indexes for sending: mails apart from instant notifications, which wait in the same table."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # an index on a big table is built alone, concurrently
    dependencies = [("notifications", "0002_mails_leave")]

    operations = [
        AddIndexConcurrently(
            "outbox",
            models.Index(
                name="mails_to_send",
                fields=["available_at", "id"],
                condition=models.Q(state="queued") & ~models.Q(channel="notification"),
            ),
        ),
        AddIndexConcurrently(
            "outbox",
            models.Index(
                name="messages_before",
                fields=["order", "channel", "id"],
                condition=models.Q(state="queued"),
            ),
        ),
        AddIndexConcurrently(
            "outbox",
            models.Index(
                name="mails_to_a_merchant",
                fields=["merchant", "id"],
                condition=models.Q(channel="merchant_email"),
            ),
        ),
        RemoveIndexConcurrently("outbox", "outbox_to_send"),
    ]
