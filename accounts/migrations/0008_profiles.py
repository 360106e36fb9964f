"""What buyers are told about a merchant has tables of its own; Merchant.returns_policy moves there.

The old column keeps a default of the database, so that code of both releases can add merchants.
"""

import django.db.models.deletion
from django.db import migrations, models

TEXTS = ("about", "returns", "shipping", "gift_services", "privacy", "faq")


def of_merchant():
    return models.OneToOneField(
        on_delete=django.db.models.deletion.CASCADE,
        primary_key=True,
        serialize=False,
        to="accounts.merchant",
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_clock_within_ten_years")]
    operations = [
        migrations.AlterField(
            "merchant", "returns_policy", models.TextField(blank=True, db_default="")
        ),
        migrations.CreateModel(
            name="Profile",
            fields=[
                ("merchant", of_merchant()),
                *((name, models.CharField(blank=True, max_length=10000)) for name in TEXTS),
                ("version", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Logo",
            fields=[
                ("merchant", of_merchant()),
                ("digest", models.CharField(max_length=32)),
                ("width", models.PositiveSmallIntegerField()),
                ("height", models.PositiveSmallIntegerField()),
                ("picture", models.BinaryField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(width__lte=600, height__lte=200),
                        name="a_logo_stays_within_its_frame",
                    )
                ]
            },
        ),
    ]
