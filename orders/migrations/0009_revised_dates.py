"""What a buyer was told later about shipping and arrival stands beside the first promise."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("orders", "0008_what_happened_when")]
    operations = [
        *(
            migrations.AddField("order", name, models.DateField(null=True))
            for name in (
                "revised_ship_date",
                "revised_deliver_from_date",
                "revised_deliver_to_date",
            )
        ),
        migrations.AddConstraint(
            "order",
            models.CheckConstraint(
                name="revised_dates_stand_together",
                condition=Q(
                    revised_ship_date__isnull=True,
                    revised_deliver_from_date__isnull=True,
                    revised_deliver_to_date__isnull=True,
                )
                | Q(
                    revised_ship_date__isnull=False,
                    revised_deliver_from_date__isnull=False,
                    revised_deliver_to_date__isnull=False,
                    revised_deliver_to_date__gte=F("revised_deliver_from_date"),
                ),
            ),
        ),
    ]
