"""The ledger only grows, and the counters beside it agree with it at every commit (INV-01)."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE ON payments_ledgerline
  FOR EACH ROW EXECUTE FUNCTION rows_are_only_added();
CREATE TRIGGER ledger_is_not_truncated BEFORE TRUNCATE ON payments_ledgerline
  FOR EACH STATEMENT EXECUTE FUNCTION rows_are_only_added();

CREATE FUNCTION refunds_match_the_ledger(item bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  wrong text;
BEGIN
  SELECT c.component INTO wrong
  FROM orders_item i,
    LATERAL (VALUES
      ('item_price', i.refunded_item_price), ('item_tax', i.refunded_item_tax),
      ('gift_wrap_price', i.refunded_gift_wrap_price), ('gift_wrap_tax', i.refunded_gift_wrap_tax),
      ('item_promotion', -i.refunded_item_promotion),
      ('shipping_price', i.refunded_shipping_price), ('shipping_tax', i.refunded_shipping_tax),
      ('shipping_promotion', -i.refunded_shipping_promotion)
    ) AS c (component, counted)
  WHERE i.id = item AND c.counted <> COALESCE((
    SELECT -sum(l.amount) FROM payments_ledgerline l
    WHERE l.order_id = i.order_id AND l.item_id = i.id AND l.component = c.component
      AND l.kind IN ('refund', 'refund_returned')), 0)
  LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'refunds of item % differ from the ledger in %', item, wrong
      USING ERRCODE = '23514', CONSTRAINT = 'refunds_match_the_ledger';
  END IF;
END $$;

CREATE FUNCTION item_refunds_match() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM refunds_match_the_ledger(NEW.id);
  RETURN NULL;
END $$;
CREATE FUNCTION ledger_refunds_match() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM refunds_match_the_ledger(NEW.item_id);
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER item_refunds_match AFTER UPDATE ON orders_item
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN ((OLD.refunded_item_price, OLD.refunded_item_tax, OLD.refunded_gift_wrap_price,
         OLD.refunded_gift_wrap_tax, OLD.refunded_item_promotion, OLD.refunded_shipping_price,
         OLD.refunded_shipping_tax, OLD.refunded_shipping_promotion)
        IS DISTINCT FROM
        (NEW.refunded_item_price, NEW.refunded_item_tax, NEW.refunded_gift_wrap_price,
         NEW.refunded_gift_wrap_tax, NEW.refunded_item_promotion, NEW.refunded_shipping_price,
         NEW.refunded_shipping_tax, NEW.refunded_shipping_promotion))
  EXECUTE FUNCTION item_refunds_match();
CREATE CONSTRAINT TRIGGER ledger_refunds_match AFTER INSERT ON payments_ledgerline
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.kind IN ('refund', 'refund_returned'))
  EXECUTE FUNCTION ledger_refunds_match();

CREATE FUNCTION outcomes_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'operation % has its outcome', OLD.id
    USING ERRCODE = '23514', CONSTRAINT = 'outcomes_are_final';
END $$;
CREATE TRIGGER operation_outcome_is_final BEFORE UPDATE OF state ON payments_operation
  FOR EACH ROW WHEN (OLD.state <> 'intended' AND OLD.state IS DISTINCT FROM NEW.state)
  EXECUTE FUNCTION outcomes_are_final();
CREATE TRIGGER refund_outcome_is_final BEFORE UPDATE OF state ON orders_refund
  FOR EACH ROW WHEN (OLD.state <> 'submitted' AND OLD.state IS DISTINCT FROM NEW.state)
  EXECUTE FUNCTION outcomes_are_final();
"""
BACKWARD = """
DROP TRIGGER refund_outcome_is_final ON orders_refund;
DROP TRIGGER operation_outcome_is_final ON payments_operation;
DROP FUNCTION outcomes_are_final();
DROP TRIGGER ledger_refunds_match ON payments_ledgerline;
DROP TRIGGER item_refunds_match ON orders_item;
DROP FUNCTION ledger_refunds_match();
DROP FUNCTION item_refunds_match();
DROP FUNCTION refunds_match_the_ledger(bigint);
DROP TRIGGER ledger_is_not_truncated ON payments_ledgerline;
DROP TRIGGER ledger_is_append_only ON payments_ledgerline;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial"), ("orders", "0002_guards")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
