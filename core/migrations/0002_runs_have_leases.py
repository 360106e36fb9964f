"""A run says how long it is to be believed; of a job one run is alive at a time."""

from django.db import migrations, models
from django.db.models import F, Q
from django.utils import timezone


def end_what_was_killed(apps, schema_editor):
    """Runs that never ended were killed: end them, so that only one is left without an end."""
    runs = apps.get_model("core", "JobRun").objects.filter(finished_at=None)
    runs.update(finished_at=F("started_at"), error="lost")


class Migration(migrations.Migration):
    dependencies = [("core", "0001_job_runs")]
    operations = [
        migrations.RunPython(end_what_was_killed, migrations.RunPython.noop),
        migrations.AddField(
            model_name="jobrun",
            name="lease_until",
            field=models.DateTimeField(default=timezone.now),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="jobrun",
            constraint=models.UniqueConstraint(
                condition=Q(finished_at=None),
                fields=("job",),
                name="a_job_never_overlaps_with_itself",
            ),
        ),
    ]
