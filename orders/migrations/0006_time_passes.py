"""Facts that time brings: delivery assumed, contacts blanked, invariants looked at."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0005_buyer_edits")]
    operations = [
        migrations.CreateModel(
            name="InvariantCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField()),
                ("checks", models.PositiveSmallIntegerField()),
                ("violations", models.JSONField(default=dict)),
                ("sums", models.JSONField(default=list)),
            ],
        ),
        migrations.AddConstraint(
            model_name="invariantcheck",
            constraint=models.CheckConstraint(
                condition=models.Q(finished_at__gte=models.F("started_at")),
                name="a_check_ends_after_it_began",
            ),
        ),
        migrations.AddField(
            model_name="contact", name="blanked_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(
            model_name="order", name="delivered_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(delivered_at=None) | models.Q(status="shipped"),
                name="only_what_has_shipped_is_delivered",
            ),
        ),
    ]
