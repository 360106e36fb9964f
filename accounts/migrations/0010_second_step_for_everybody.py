from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_returns_policies_move")]
    operations = [
        migrations.AddField(
            "merchant",
            "second_step_required",
            models.BooleanField(db_default=False, default=False),
        ),
    ]
