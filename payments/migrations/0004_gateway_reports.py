"""What the buyer names when paying at a store, and reports of the gateway that were acted on."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

KEY = """
ALTER TABLE payments_gatewayevent ADD CONSTRAINT gateway_event_of_an_order_of_its_merchant
  FOREIGN KEY (merchant_id, order_id) REFERENCES orders_order (merchant_id, id);
"""
NO_KEY = """
ALTER TABLE payments_gatewayevent DROP CONSTRAINT gateway_event_of_an_order_of_its_merchant;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("orders", "0002_guards"),
        ("payments", "0003_authorisations"),
    ]
    operations = [
        migrations.AddField(
            model_name="payment",
            name="number",
            field=models.CharField(blank=True, db_default="", default="", max_length=14),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=~Q(number=""),
                fields=("number",),
                name="a_payment_number_is_given_once",
            ),
        ),
        migrations.CreateModel(
            name="GatewayEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event", models.CharField(max_length=100, unique=True)),
                ("state", models.CharField(max_length=10)),
                ("received_at", models.DateTimeField()),
                (
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="accounts.merchant",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gateway_events",
                        to="orders.order",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(KEY, NO_KEY),
    ]
