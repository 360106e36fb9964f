"""Indexes by when an order was verified, confirmed, refunded: what home and its lists count."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # an index on a big table is built alone, concurrently
    dependencies = [("orders", "0007_what_falls_due")]
    operations = [
        AddIndexConcurrently(
            "order",
            models.Index(
                fields=["merchant", "verified_at"],
                include=["is_test"],
                name="orders_by_verification",
            ),
        ),
        AddIndexConcurrently(
            "refund",
            models.Index(
                fields=["merchant", "submitted_at"],
                include=["order", "state"],
                name="refunds_by_submission",
            ),
        ),
        AddIndexConcurrently(
            "shipment",
            models.Index(
                fields=["merchant", "confirmed_at"],
                include=["order"],
                name="shipments_by_confirmation",
            ),
        ),
    ]
