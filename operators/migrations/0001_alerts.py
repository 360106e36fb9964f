"""Alerts are remembered, so that each is told once until it has ended."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("condition", models.CharField(max_length=40)),
                ("facts", models.JSONField(default=dict)),
                ("seen_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("began_posted", models.BooleanField(default=False)),
                ("ended_posted", models.BooleanField(default=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(ended_at=None),
                        fields=("condition",),
                        name="a_condition_is_told_once_until_it_ends",
                    ),
                    models.CheckConstraint(
                        condition=Q(ended_at=None) | Q(ended_at__gte=F("seen_at")),
                        name="an_alert_ends_after_it_was_seen",
                    ),
                ],
            },
        ),
    ]
