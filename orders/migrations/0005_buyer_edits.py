"""What was bought stays, but for its buyer's own change in the first minutes (BUYERCANCEL-01)."""

from django.db import migrations

AMOUNTS = (
    "item_price",
    "item_tax",
    "gift_wrap_price",
    "gift_wrap_tax",
    "item_promotion",
    "shipping_price",
    "shipping_tax",
    "shipping_promotion",
)


def changed(*columns):
    """Return a condition on a row: any of the columns is another one."""
    old, new = (", ".join(f"{row}.{name}" for name in columns) for row in ("OLD", "NEW"))
    return f"WHEN (({old}) IS DISTINCT FROM ({new}))"


def stays(order, item):
    """Return the triggers that let nobody change these columns."""
    return f"""
CREATE TRIGGER order_stays BEFORE UPDATE ON orders_order FOR EACH ROW
  {changed("merchant_id", "number", "purchased_at", *order, "currency")}
  EXECUTE FUNCTION what_was_bought_stays();
CREATE TRIGGER item_stays BEFORE UPDATE ON orders_item FOR EACH ROW
  {changed("order_id", "number", *item)}
  EXECUTE FUNCTION what_was_bought_stays();
"""


NO_TRIGGERS = """
DROP TRIGGER order_stays ON orders_order;
DROP TRIGGER item_stays ON orders_item;
"""
SUMS, UNITS = ("total", "quantity_purchased"), ("quantity_purchased", *AMOUNTS)

FORWARD = f"""
{NO_TRIGGERS}
{stays((), ())}
CREATE FUNCTION only_its_buyer_changes_an_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed bigint := (to_jsonb(NEW) ->> TG_ARGV[0])::bigint;
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM audit_entry e JOIN orders_order o ON o.id = e.order_id
    WHERE e.order_id = changed AND e.xid = pg_current_xact_id()
      AND e.event = 'order.buyer_edited' AND o.charged_at IS NULL AND o.advance_paid_at IS NULL
      AND o.cancelled_at IS NULL AND o.quantity_confirmed = 0
  ) THEN
    RAISE EXCEPTION 'what was bought of order % changed, and not by its buyer', changed
      USING ERRCODE = '23514', CONSTRAINT = 'what_was_bought_stays';
  END IF;
  IF EXISTS (
    SELECT 1 FROM orders_order o, LATERAL (
      SELECT sum(item_price + item_tax + gift_wrap_price + gift_wrap_tax - item_promotion
                 + shipping_price + shipping_tax - shipping_promotion) AS total,
             sum(quantity_purchased) AS units
      FROM orders_item WHERE order_id = o.id
    ) i WHERE o.id = changed AND (o.total, o.quantity_purchased) <> (i.total, i.units)
  ) THEN
    RAISE EXCEPTION 'order % costs something else than its items', changed
      USING ERRCODE = '23514', CONSTRAINT = 'order_costs_what_its_items_cost';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER order_changes_by_its_buyer AFTER UPDATE ON orders_order
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  {changed(*SUMS)}
  EXECUTE FUNCTION only_its_buyer_changes_an_order('id');
CREATE CONSTRAINT TRIGGER item_changes_by_its_buyer AFTER UPDATE ON orders_item
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  {changed(*UNITS)}
  EXECUTE FUNCTION only_its_buyer_changes_an_order('order_id');
"""
BACKWARD = f"""
DROP TRIGGER item_changes_by_its_buyer ON orders_item;
DROP TRIGGER order_changes_by_its_buyer ON orders_order;
DROP FUNCTION only_its_buyer_changes_an_order();
{NO_TRIGGERS}
{stays(SUMS, UNITS)}
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_buyer_requests"), ("audit", "0003_append_only")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
