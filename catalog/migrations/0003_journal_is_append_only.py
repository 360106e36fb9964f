"""The stock journal only grows (INVENTORY-07)."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER stock_journal_is_append_only BEFORE UPDATE OR DELETE ON catalog_stockchange
  FOR EACH ROW EXECUTE FUNCTION rows_are_only_added();
"""
BACKWARD = "DROP TRIGGER stock_journal_is_append_only ON catalog_stockchange;"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_initial"), ("audit", "0003_append_only")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
