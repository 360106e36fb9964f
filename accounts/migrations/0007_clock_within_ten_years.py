"""A sandbox's clock runs ten years ahead at most: no date of its leaves what programs can write."""

from datetime import timedelta

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_guards_of_people")]
    operations = [
        migrations.AddConstraint(
            model_name="merchant",
            constraint=models.CheckConstraint(
                condition=models.Q(clock_ahead__lte=timedelta(days=3660)),
                name="a_sandbox_clock_stays_within_ten_years",
            ),
        ),
    ]
