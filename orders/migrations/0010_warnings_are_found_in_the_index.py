"""Orders to warn of are counted and listed from their index alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_second_step_for_everybody"),
        ("orders", "0009_revised_dates"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="order",
            name="orders_to_warn_of",
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("status", "unshipped")),
                fields=["merchant", "page_warning_at"],
                include=("id", "ship_by_at"),
                name="orders_to_warn_of",
            ),
        ),
    ]
