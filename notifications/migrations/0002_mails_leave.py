"""What sending needs to know of a row, and copies of letters for the mail viewer."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_password_resets"), ("notifications", "0001_initial")]

    operations = [
        migrations.AddField(
            "outbox", "claim", models.PositiveIntegerField(default=0, db_default=0)
        ),
        migrations.AddField("outbox", "finished_at", models.DateTimeField(null=True)),
        migrations.AlterField(
            "outbox",
            "state",
            models.CharField(
                max_length=7,
                choices=[
                    ("queued", "Queued"),
                    ("sent", "Sent"),
                    ("failed", "Failed"),
                    ("dropped", "Dropped"),
                ],
                default="queued",
            ),
        ),
        migrations.RemoveConstraint("outbox", "outbox_state_known"),
        migrations.AddConstraint(
            "outbox",
            models.CheckConstraint(
                name="outbox_state_known",
                condition=models.Q(state__in=["queued", "sent", "failed", "dropped"]),
            ),
        ),
        migrations.CreateModel(
            name="LetterCopy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("message_id", models.CharField(max_length=200)),
                (
                    "sent_to",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=254), size=None
                    ),
                ),
                ("subject", models.CharField(max_length=250)),
                ("body", models.TextField()),
                ("sent_at", models.DateTimeField()),
                (
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="accounts.merchant",
                    ),
                ),
                (
                    "outbox",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="copy",
                        to="notifications.outbox",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["merchant", "id"], name="letters_of_a_merchant")],
            },
        ),
    ]
