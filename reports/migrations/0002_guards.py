"""What holds without the code: no order is forgotten, none is reported twice, none of others'.

Each guard has a test that offends it.
"""

from django.db import migrations

KEYS = """
ALTER TABLE reports_release ADD CONSTRAINT release_of_an_order_of_its_merchant
  FOREIGN KEY (merchant_id, order_id) REFERENCES orders_order (merchant_id, id);
ALTER TABLE reports_release ADD CONSTRAINT release_in_a_report_of_its_merchant
  FOREIGN KEY (merchant_id, report_id) REFERENCES reports_report (merchant_id, id);
"""
NO_KEYS = """
ALTER TABLE reports_release DROP CONSTRAINT release_in_a_report_of_its_merchant;
ALTER TABLE reports_release DROP CONSTRAINT release_of_an_order_of_its_merchant;
"""

# Whatever door an order is verified by, it waits for the next scheduled report from then on: a
# cut-off by time or number would lose each order whose transaction commits after a later one's.
# Who makes the first schedule locks the merchant's row: an order verified meanwhile either commits
# before, and belongs to the time before the schedule, or waits here and then finds the schedule.
WAITS = """
CREATE FUNCTION a_verified_order_waits_for_its_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM accounts_merchant WHERE id = NEW.merchant_id FOR KEY SHARE;
  INSERT INTO reports_release (order_id, merchant_id)
  SELECT NEW.id, NEW.merchant_id FROM reports_schedule
  WHERE merchant_id = NEW.merchant_id AND kind = 'orders'
  ON CONFLICT (order_id) DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER order_placed_verified_waits AFTER INSERT ON orders_order FOR EACH ROW
  WHEN (NEW.verified_at IS NOT NULL)
  EXECUTE FUNCTION a_verified_order_waits_for_its_report();
CREATE TRIGGER order_verified_waits AFTER UPDATE ON orders_order FOR EACH ROW
  WHEN (OLD.verified_at IS NULL AND NEW.verified_at IS NOT NULL)
  EXECUTE FUNCTION a_verified_order_waits_for_its_report();
"""
NO_WAITS = """
DROP TRIGGER order_verified_waits ON orders_order;
DROP TRIGGER order_placed_verified_waits ON orders_order;
DROP FUNCTION a_verified_order_waits_for_its_report();
"""

STAYS = """
CREATE FUNCTION an_order_stays_in_its_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'order % is in a scheduled report already', OLD.order_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'an_order_stays_in_its_report';
END $$;
CREATE TRIGGER release_stays BEFORE UPDATE ON reports_release FOR EACH ROW
  WHEN (OLD.report_id IS NOT NULL OR NEW.order_id <> OLD.order_id)
  EXECUTE FUNCTION an_order_stays_in_its_report();
CREATE TRIGGER release_is_not_deleted BEFORE DELETE ON reports_release FOR EACH ROW
  EXECUTE FUNCTION an_order_stays_in_its_report();
"""
NO_STAYS = """
DROP TRIGGER release_is_not_deleted ON reports_release;
DROP TRIGGER release_stays ON reports_release;
DROP FUNCTION an_order_stays_in_its_report();
"""


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_initial"), ("orders", "0009_revised_dates")]
    operations = [
        migrations.RunSQL(KEYS, NO_KEYS),
        migrations.RunSQL(WAITS, NO_WAITS),
        migrations.RunSQL(STAYS, NO_STAYS),
    ]
