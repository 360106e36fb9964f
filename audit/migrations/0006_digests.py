"""Digests over the history, which only grow as it does (TH-56)."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE TRIGGER digests_are_append_only BEFORE UPDATE OR DELETE ON audit_historydigest
  FOR EACH ROW EXECUTE FUNCTION rows_are_only_added();
CREATE TRIGGER digests_are_not_truncated BEFORE TRUNCATE ON audit_historydigest
  FOR EACH STATEMENT EXECUTE FUNCTION rows_are_only_added();
"""
BACKWARD = """
DROP TRIGGER digests_are_not_truncated ON audit_historydigest;
DROP TRIGGER digests_are_append_only ON audit_historydigest;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_second_step_for_everybody"),
        ("audit", "0005_request_ids"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoryDigest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                (
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="accounts.merchant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "first"), name="history_is_digested_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("first__gte", 1), ("last__gte", models.F("first"))),
                        name="a_digest_covers_entries",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
