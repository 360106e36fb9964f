"""History cannot be altered, and knows the transaction it was written in (INV-10)."""

from django.db import migrations

FORWARD = """
ALTER TABLE audit_entry ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();

CREATE FUNCTION rows_are_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
    USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_is_append_only';
END $$;

CREATE TRIGGER audit_entry_is_append_only BEFORE UPDATE OR DELETE ON audit_entry
  FOR EACH ROW EXECUTE FUNCTION rows_are_only_added();
CREATE TRIGGER audit_entry_is_not_truncated BEFORE TRUNCATE ON audit_entry
  FOR EACH STATEMENT EXECUTE FUNCTION rows_are_only_added();
"""
BACKWARD = """
DROP TRIGGER audit_entry_is_not_truncated ON audit_entry;
DROP TRIGGER audit_entry_is_append_only ON audit_entry;
DROP FUNCTION rows_are_only_added();
ALTER TABLE audit_entry DROP COLUMN xid;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
