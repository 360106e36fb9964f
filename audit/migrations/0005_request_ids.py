"""Lines of the history name the request or run of a job that wrote them.

The default is the database's, so that the rows there are not rewritten and older code can go on
writing.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_operators")]

    operations = [
        migrations.AddField(
            "entry",
            "request_id",
            models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
    ]
