"""A sandbox merchant's clock only moves forward, and only in a sandbox."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION clock_runs_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the clock of merchant % only moves forward', OLD.id
    USING ERRCODE = '23514', CONSTRAINT = 'clock_runs_forward';
END $$;
CREATE TRIGGER sandbox_clock_runs_forward BEFORE UPDATE OF clock_ahead ON accounts_merchant
  FOR EACH ROW WHEN (NEW.clock_ahead < OLD.clock_ahead) EXECUTE FUNCTION clock_runs_forward();
"""
BACKWARD = """
DROP TRIGGER sandbox_clock_runs_forward ON accounts_merchant;
DROP FUNCTION clock_runs_forward();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_marketplaces")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
