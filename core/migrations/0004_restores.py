"""A restored database says so, until an operator has compared it with what happened."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0003_counts")]

    operations = [
        migrations.CreateModel(
            name="Restore",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("marked_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.ExpressionWrapper(
                            models.Q(("ended_at", None)), models.BooleanField()
                        ),
                        condition=models.Q(("ended_at", None)),
                        name="one_restore_is_open",
                    ),
                ],
            },
        ),
    ]
