"""Messages owed name the request or run of a job that owes them.

The default is the database's, so that the rows there are not rewritten and older code can go on
writing.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0004_letters_to_persons")]

    operations = [
        migrations.AddField(
            "outbox",
            "request_id",
            models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
    ]
