"""The stock journal is not emptied either (INVENTORY-07)."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER stock_journal_is_not_truncated BEFORE TRUNCATE ON catalog_stockchange
  FOR EACH STATEMENT EXECUTE FUNCTION rows_are_only_added();
"""
BACKWARD = "DROP TRIGGER stock_journal_is_not_truncated ON catalog_stockchange;"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_journal_is_append_only")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
