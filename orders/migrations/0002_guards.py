"""Guards that hold without the code (reliability 1.6): each has a test that offends it."""

from django.db import migrations

# Children of an order name its merchant, too: nothing of one merchant hangs on another's order.
CHILDREN = {
    "orders_item": "item",
    "orders_contact": "contact",
    "orders_shipment": "shipment",
    "orders_cancellation": "cancellation",
    "orders_refund": "refund",
    "orders_ordernote": "note",
    "payments_operation": "operation",
    "payments_ledgerline": "ledger",
    "audit_entry": "history",
    "notifications_outbox": "outbox",
}
# Lines that name an item name its order, too.
LINES = {"orders_shipmentline": "shipment_line", "payments_ledgerline": "ledger_line"}

KEYS = (
    """
ALTER TABLE orders_order ADD CONSTRAINT order_belongs_to_its_merchant UNIQUE (merchant_id, id);
"""
    + "".join(
        f"""
ALTER TABLE {table} ADD CONSTRAINT {word}_of_an_order_of_its_merchant
  FOREIGN KEY (merchant_id, order_id) REFERENCES orders_order (merchant_id, id);
"""
        for table, word in CHILDREN.items()
    )
    + "".join(
        f"""
ALTER TABLE {table} ADD CONSTRAINT {word}_names_an_item_of_its_order
  FOREIGN KEY (order_id, item_id) REFERENCES orders_item (order_id, id);
"""
        for table, word in LINES.items()
    )
)
NO_KEYS = (
    "".join(
        f"ALTER TABLE {table} DROP CONSTRAINT {word}_names_an_item_of_its_order;\n"
        for table, word in LINES.items()
    )
    + "".join(
        f"ALTER TABLE {table} DROP CONSTRAINT {word}_of_an_order_of_its_merchant;\n"
        for table, word in CHILDREN.items()
    )
    + "ALTER TABLE orders_order DROP CONSTRAINT order_belongs_to_its_merchant;\n"
)

# A shipment pins its order to "not cancelled"; no lock in the code is needed for this to hold.
PIN = """
ALTER TABLE orders_order
  ADD is_cancelled boolean GENERATED ALWAYS AS (status = 'cancelled') STORED NOT NULL;
ALTER TABLE orders_order ADD CONSTRAINT order_can_be_pinned UNIQUE (id, is_cancelled);
ALTER TABLE orders_shipment ADD CONSTRAINT shipment_needs_a_live_order
  FOREIGN KEY (order_id, order_cancelled) REFERENCES orders_order (id, is_cancelled);
"""
NO_PIN = """
ALTER TABLE orders_shipment DROP CONSTRAINT shipment_needs_a_live_order;
ALTER TABLE orders_order DROP CONSTRAINT order_can_be_pinned;
ALTER TABLE orders_order DROP COLUMN is_cancelled;
"""

# The pairs of orders.domain.moves.MOVES; a test compares the two.
MOVES = """
CREATE FUNCTION order_moves_as_the_table_says() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.status, NEW.status) NOT IN (
    ('pending', 'unshipped'),
    ('pending', 'cancelled'),
    ('unshipped', 'partially_shipped'),
    ('unshipped', 'shipped'),
    ('unshipped', 'cancelled'),
    ('partially_shipped', 'shipped')
  ) THEN
    RAISE EXCEPTION 'order % cannot go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = '23514', CONSTRAINT = 'order_moves_as_the_table_says';
  END IF;
  IF NEW.version <= OLD.version THEN
    RAISE EXCEPTION 'order % moves without a new version', OLD.id
      USING ERRCODE = '23514', CONSTRAINT = 'order_moves_with_its_version';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_moves BEFORE UPDATE OF status ON orders_order
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
  EXECUTE FUNCTION order_moves_as_the_table_says();
"""
NO_MOVES = """
DROP TRIGGER order_moves ON orders_order;
DROP FUNCTION order_moves_as_the_table_says();
"""

# A new order and a change of status need their line of history in the same transaction.
AUDITED = """
CREATE FUNCTION order_needs_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM audit_entry WHERE order_id = NEW.id AND xid = pg_current_xact_id()
  ) THEN
    RAISE EXCEPTION 'order % changed without a line of history', NEW.id
      USING ERRCODE = '23514', CONSTRAINT = 'order_is_audited';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER order_is_audited AFTER UPDATE OF status, refunded_total ON orders_order
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status
        OR OLD.refunded_total IS DISTINCT FROM NEW.refunded_total)
  EXECUTE FUNCTION order_needs_history();
CREATE CONSTRAINT TRIGGER new_order_is_audited AFTER INSERT ON orders_order
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION order_needs_history();
"""
NO_AUDITED = """
DROP TRIGGER new_order_is_audited ON orders_order;
DROP TRIGGER order_is_audited ON orders_order;
DROP FUNCTION order_needs_history();
"""

# What was bought, when and for how much never changes (DETAIL-04, PENDING-13).
FIXED = """
CREATE FUNCTION what_was_bought_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what was bought, when and for how much never changes'
    USING ERRCODE = '23514', CONSTRAINT = 'what_was_bought_stays';
END $$;
CREATE TRIGGER order_stays BEFORE UPDATE ON orders_order FOR EACH ROW
  WHEN ((OLD.merchant_id, OLD.number, OLD.purchased_at, OLD.total, OLD.currency,
         OLD.quantity_purchased)
        IS DISTINCT FROM
        (NEW.merchant_id, NEW.number, NEW.purchased_at, NEW.total, NEW.currency,
         NEW.quantity_purchased))
  EXECUTE FUNCTION what_was_bought_stays();
CREATE TRIGGER item_stays BEFORE UPDATE ON orders_item FOR EACH ROW
  WHEN ((OLD.order_id, OLD.number, OLD.quantity_purchased, OLD.item_price, OLD.item_tax,
         OLD.gift_wrap_price, OLD.gift_wrap_tax, OLD.item_promotion, OLD.shipping_price,
         OLD.shipping_tax, OLD.shipping_promotion)
        IS DISTINCT FROM
        (NEW.order_id, NEW.number, NEW.quantity_purchased, NEW.item_price, NEW.item_tax,
         NEW.gift_wrap_price, NEW.gift_wrap_tax, NEW.item_promotion, NEW.shipping_price,
         NEW.shipping_tax, NEW.shipping_promotion))
  EXECUTE FUNCTION what_was_bought_stays();
"""
NO_FIXED = """
DROP TRIGGER item_stays ON orders_item;
DROP TRIGGER order_stays ON orders_order;
DROP FUNCTION what_was_bought_stays();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_initial"),
        ("audit", "0003_append_only"),
        ("payments", "0001_initial"),
        ("notifications", "0001_initial"),
    ]
    operations = [
        migrations.RunSQL(KEYS, NO_KEYS),
        migrations.RunSQL(PIN, NO_PIN),
        migrations.RunSQL(MOVES, NO_MOVES),
        migrations.RunSQL(AUDITED, NO_AUDITED),
        migrations.RunSQL(FIXED, NO_FIXED),
    ]
