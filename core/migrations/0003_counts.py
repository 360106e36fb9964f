"""What happens in each minute is counted, so that operators can be told when it is too much."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0002_runs_have_leases")]

    operations = [
        migrations.CreateModel(
            name="EventCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event", models.CharField(max_length=40)),
                ("minute", models.DateTimeField()),
                ("number", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("event", "minute"), name="one_count_a_minute")
                ],
            },
        ),
    ]
