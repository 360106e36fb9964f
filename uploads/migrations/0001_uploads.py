"""Uploaded files and their records; batch numbers have seven digits from the beginning."""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0010_second_step_for_everybody"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "feed",
                    models.CharField(
                        choices=[
                            ("shipping-confirmation", "Shipping Confirmation"),
                            ("order-cancellation", "Order Cancellation"),
                            ("adjustments", "Adjustments"),
                        ],
                        max_length=21,
                    ),
                ),
                ("check_only", models.BooleanField(default=False)),
                ("file_name", models.CharField(max_length=200)),
                ("stored_as", models.CharField(max_length=60)),
                ("size", models.PositiveIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("uploaded_at", models.DateTimeField()),
                ("uploaded_by", models.CharField(max_length=100)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("submitted", "Submitted"),
                            ("in_progress", "In progress"),
                            ("done", "Done"),
                            ("done_with_errors", "Done with errors"),
                            ("failed", "Failed"),
                            ("checked", "Checked, not applied"),
                        ],
                        default="submitted",
                        max_length=16,
                    ),
                ),
                ("names", models.JSONField(default=list)),
                ("problems", models.JSONField(default=list)),
                ("count", models.PositiveIntegerField(default=0)),
                ("succeeded", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("warned", models.PositiveIntegerField(default=0)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("claim", models.PositiveIntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("at_place", models.PositiveIntegerField(null=True)),
                ("careful_until", models.PositiveIntegerField(null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                (
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uploads",
                        to="accounts.merchant",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Record",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("text", models.TextField()),
                ("place", models.PositiveIntegerField()),
                ("parcel", models.PositiveIntegerField()),
                ("is_judged", models.BooleanField(default=False)),
                ("is_done", models.BooleanField(default=False)),
                ("succeeded", models.BooleanField(default=False)),
                ("messages", models.JSONField(default=list)),
                ("effect", models.JSONField(default=dict)),
                (
                    "upload",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="records",
                        to="uploads.upload",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(fields=["merchant", "feed", "-id"], name="uploads_by_feed"),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(
                condition=models.Q(("state__in", ("submitted", "in_progress"))),
                fields=["merchant", "id"],
                name="uploads_to_process",
            ),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(fields=["merchant", "digest"], name="uploads_by_content"),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("feed__in", ["shipping-confirmation", "order-cancellation", "adjustments"])
                ),
                name="upload_feed_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "submitted",
                            "in_progress",
                            "done",
                            "done_with_errors",
                            "failed",
                            "checked",
                        ],
                    )
                ),
                name="upload_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finished_at", None), ("state__in", ("submitted", "in_progress"))),
                    models.Q(
                        models.Q(("state__in", ("submitted", "in_progress")), _negated=True),
                        ("finished_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="an_upload_ends_once_it_is_answered",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ("submitted", "in_progress")),
                    (
                        "count",
                        django.db.models.expressions.CombinedExpression(
                            models.F("succeeded"), "+", models.F("failed")
                        ),
                    ),
                    _connector="OR",
                ),
                name="upload_counts_add_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "checked"), _negated=True),
                    ("check_only", True),
                    _connector="OR",
                ),
                name="only_a_check_ends_as_checked",
            ),
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(
                condition=models.Q(("is_done", False)),
                fields=["upload", "place", "number"],
                name="records_to_process",
            ),
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(
                condition=models.Q(("messages", []), _negated=True),
                fields=["upload", "number"],
                name="records_with_messages",
            ),
        ),
        migrations.AddConstraint(
            model_name="record",
            constraint=models.UniqueConstraint(
                fields=("upload", "number"), name="a_record_is_answered_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="record",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_done", True), ("succeeded", False), _connector="OR"),
                name="what_succeeded_is_done",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE uploads_upload ALTER COLUMN id RESTART WITH 1000001",
            migrations.RunSQL.noop,
        ),
    ]
