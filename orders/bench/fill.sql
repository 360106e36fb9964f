-- A shop of %(orders)s orders and a hundred small ones, each step one statement over all rows.
-- A line "-- == words" begins a step and is its name on screen. Runs with triggers resting, so
-- each row has to be as the product's own verbs would leave it; verify_invariants says whether.

-- == listings
CREATE TEMP TABLE b_shop AS
SELECT m.id AS merchant_id, m.marketplace_id, m.slug = 'bench-big' AS is_big,
       CASE WHEN m.slug = 'bench-big' THEN %(orders)s
            ELSE greatest(%(orders)s / 1000, 2) END AS orders,
       CASE WHEN m.slug = 'bench-big' THEN %(listings)s ELSE 20 END AS listings
FROM accounts_merchant m WHERE m.slug LIKE 'bench-%%';
ANALYZE b_shop;
SELECT setseed(0.4);
INSERT INTO catalog_listing (merchant_id, sku, listing_id, title, price, currency,
                             quantity_available, is_active, version)
SELECT s.merchant_id, 'BX-' || lpad(rank::text, 5, '0'),
       'L' || lpad((rank::bigint * 73210709 %% 1000000007)::text, 9, '0'),
       (ARRAY['Recycled', 'Woven', 'Glazed', 'Carved', 'Folded', 'Painted', 'Plain', 'Ribbed',
              'Tall', 'Round', 'Striped', 'Brushed', 'Printed', 'Knotted', 'Turned', 'Pressed'])
         [1 + floor(power(random(), 2) * 16)] || ' ' ||
       (ARRAY['glass', 'linen', 'oak', 'stoneware', 'paper', 'wool', 'brass', 'slate', 'cork',
              'cotton', 'ash', 'enamel', 'jute', 'marble', 'rattan', 'copper'])
         [1 + floor(power(random(), 2) * 16)] || ' ' ||
       (ARRAY['mug', 'bowl', 'candle holder', 'napkin', 'tray', 'jug', 'vase', 'cushion', 'throw',
              'lantern', 'board', 'basket', 'mirror', 'clock', 'frame', 'hook', 'shelf', 'bell'])
         [1 + floor(power(random(), 2) * 18)] || ' no ' || rank ||
       CASE WHEN rank = 12 THEN ' astrolabe' ELSE '' END,
       round((3 + 60 * power(random(), 3))::numeric, 2), 'GBP', 5000000, true, 1
FROM b_shop s, generate_series(1, s.listings) AS rank;
INSERT INTO catalog_listingtitle (listing_id, merchant_id, title)
SELECT id, merchant_id, title FROM catalog_listing;
INSERT INTO catalog_listingtitle (listing_id, merchant_id, title)
SELECT id, merchant_id, 'Old ' || title FROM catalog_listing WHERE id %% 10 = 0;
INSERT INTO catalog_stockchange (merchant_id, listing_id, cause, before, after, changed_at)
SELECT merchant_id, id, 'import', 0, quantity_available, %(now)s::timestamptz - interval '2 years'
FROM catalog_listing;
CREATE TEMP TABLE b_listing AS
SELECT l.id, l.merchant_id, l.sku, l.title, l.price, n.id AS sold_as, o.id AS sold_as_old,
       row_number() OVER (PARTITION BY l.merchant_id ORDER BY l.id) - 1 AS rank
FROM catalog_listing l
JOIN catalog_listingtitle n ON n.listing_id = l.id AND n.title = l.title
LEFT JOIN catalog_listingtitle o ON o.listing_id = l.id AND o.title <> l.title;
ANALYZE b_listing;

-- == drawing orders
-- A growing shop: of a year's orders two in five are of the last 90 days, 4 in 100 of the last 3.
-- Nearly all old ones are shipped; the desk has a dozen stragglers whatever its size.
CREATE TEMP TABLE b_order AS
WITH drawn AS MATERIALIZED (
  SELECT s.merchant_id, s.marketplace_id, s.is_big, k, (k - random()) / s.orders AS place,
         random() AS dice, random() AS look, s.is_big AND k IN (
           SELECT ceil(s.orders * power(age / 365, 2::float / 3))
           FROM unnest(ARRAY[8, 9, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28]::float[]) AS age
         ) AS straggles,
         1 + least(floor(-ln(1 - random()) * 1.958), 39)::int AS item_count,
         floor(power(random(), 2) * greatest(s.orders / 3, 1))::int AS buyer
  FROM b_shop s, generate_series(1, s.orders) AS k
), timed AS MATERIALIZED (
  SELECT *, %(now)s::timestamptz - interval '2 minutes'
            - make_interval(secs => 365 * 86400 * power(place, 1.5)) AS purchased_at,
         CASE WHEN straggles THEN 'unshipped' WHEN place < 0.005 THEN 'pending'
              WHEN dice < 0.02 THEN 'cancelled' WHEN place > 0.03 THEN 'shipped'
              WHEN dice < 0.7 THEN 'unshipped' WHEN dice < 0.85 THEN 'partially_shipped'
              ELSE 'shipped' END AS status
  FROM drawn
)
SELECT row_number() OVER (ORDER BY purchased_at, merchant_id, k) AS id, t.*,
       t.status = 'shipped' AND dice BETWEEN 0.5 AND 0.52 AS is_refunded,
       purchased_at + interval '15 minutes' AS verified_at,
       least(purchased_at + interval '20 hours',
             purchased_at + (%(now)s::timestamptz - purchased_at) / 2) AS acted_at,
       (purchased_at AT TIME ZONE 'Europe/London')::date AS local_day
FROM timed t;
CREATE UNIQUE INDEX ON b_order (id);
ANALYZE b_order;

-- == drawing items
CREATE TEMP TABLE b_item AS
WITH drawn AS MATERIALIZED (
  SELECT o.id AS order_id, o.merchant_id, o.purchased_at, o.status, o.is_refunded, line,
         floor(power(random(), 2) * s.listings)::int AS rank,
         CASE WHEN o.status = 'partially_shipped' AND line = 1 THEN 3
              ELSE 1 + (random() < 0.25)::int + 2 * (random() < 0.1)::int END AS quantity,
         random() < 0.1 AS is_promoted
  FROM b_order o JOIN b_shop s USING (merchant_id), generate_series(1, o.item_count) AS line
), priced AS (
  SELECT d.*, l.id AS listing_id, l.sku, round(l.price * d.quantity / 1.2, 2) AS item_price,
         round(l.price * d.quantity, 2) AS gross, l.title,
         CASE WHEN l.sold_as_old IS NOT NULL
               AND d.purchased_at < %(now)s::timestamptz - interval '180 days'
              THEN l.sold_as_old ELSE l.sold_as END AS sold_as
  FROM drawn d JOIN b_listing l ON l.merchant_id = d.merchant_id AND l.rank = d.rank
)
SELECT row_number() OVER (ORDER BY order_id, line) AS id, p.*, gross - item_price AS item_tax,
       CASE WHEN is_promoted THEN round(item_price / 10, 2) ELSE 0 END AS item_promotion,
       CASE WHEN line = 1 THEN 3.29 ELSE 0 END AS shipping_price,
       CASE WHEN line = 1 THEN 0.66 ELSE 0 END AS shipping_tax,
       CASE WHEN is_refunded AND line = 1 THEN item_price ELSE 0 END AS refunded,
       CASE WHEN status = 'shipped' THEN quantity
            WHEN status = 'partially_shipped' AND line = 1 THEN 1 ELSE 0 END AS shipped
FROM priced p;
CREATE TEMP TABLE b_total AS
SELECT order_id, sum(gross - item_promotion + shipping_price + shipping_tax) AS total,
       sum(quantity) AS units, sum(shipped) AS shipped, sum(refunded) AS refunded
FROM b_item GROUP BY order_id;
CREATE UNIQUE INDEX ON b_total (order_id);
ANALYZE b_item, b_total;

-- == orders
INSERT INTO orders_order (
  id, merchant_id, marketplace_id, number, merchant_order_number, status, payment_state, version,
  purchased_at, verified_at, charged_at, cancelled_at, ship_by_at, deadline_at, page_warning_at,
  email_warning_at, deliver_from_date, deliver_to_date, currency, total, refunded_total, item_count,
  quantity_purchased, quantity_confirmed, buyer_name, ship_service_level, is_business, is_prime,
  is_gift, is_test, purchase_order_number, sales_channel, fulfilment_channel)
SELECT o.id, o.merchant_id, o.marketplace_id,
       regexp_replace(lpad((o.id::numeric * 6364136223846793 %% 10000000000000000)::text, 16, '0'),
                      '^(..)(.......)(.......)$', '2\1-\2-\3'), 'WEB-' || o.id, o.status,
       CASE o.status WHEN 'pending' THEN 'unverified' WHEN 'unshipped' THEN 'authorised'
                     WHEN 'cancelled' THEN 'voided' ELSE 'captured' END,
       CASE o.status WHEN 'pending' THEN 1 WHEN 'unshipped' THEN 2 ELSE 3 END
         + 2 * o.is_refunded::int,
       o.purchased_at, CASE WHEN o.status <> 'pending' THEN o.verified_at END,
       CASE WHEN o.status IN ('shipped', 'partially_shipped') THEN o.acted_at END,
       CASE WHEN o.status = 'cancelled' THEN o.acted_at END,
       (ship_by + time '23:59:59') AT TIME ZONE 'Europe/London',
       o.purchased_at + interval '30 days', o.purchased_at + interval '23 days',
       o.purchased_at + interval '25 days', ship_by + 2, ship_by + 7, 'GBP', t.total, t.refunded,
       o.item_count, t.units, t.shipped,
       (ARRAY['Alice', 'Ben', 'Carys', 'Dev', 'Elin', 'Finn', 'Grace', 'Iona', 'Jack', 'Noor'])
         [1 + o.buyer %% 10] || ' ' ||
       (ARRAY['Ashworth', 'Brown', 'Cole', 'Davies', 'Evans', 'Fraser', 'Green', 'Khan', 'Moss'])
         [1 + o.buyer / 10 %% 9],
       CASE WHEN o.look < 0.03 THEN 'second-day' WHEN o.look < 0.1 THEN 'expedited'
            ELSE 'standard' END,
       o.look BETWEEN 0.2 AND 0.25, o.look BETWEEN 0.23 AND 0.33, false, false, '',
       'Amazon Checkout', 'merchant'
FROM b_order o JOIN b_total t ON t.order_id = o.id,
  LATERAL (SELECT o.local_day + CASE extract(isodow FROM o.local_day)
             WHEN 4 THEN 4 WHEN 5 THEN 4 WHEN 6 THEN 3 ELSE 2 END AS ship_by) AS promise
ORDER BY o.id;

-- == items
INSERT INTO orders_item (
  id, merchant_id, order_id, line, number, listing_id, sold_as_id, sku, title, purchased_at,
  currency, quantity_purchased, quantity_shipped, quantity_not_sent, customisation, item_price,
  item_tax, gift_wrap_price, gift_wrap_tax, item_promotion, shipping_price, shipping_tax,
  shipping_promotion, refunded_item_price)
SELECT id, merchant_id, order_id, line,
       regexp_replace(lpad((id::numeric * 6364136223846793 %% 10000000000000000)::text, 16, '0'),
                      '^(..)(.......)(.......)$', '2\1-\2-\3'),
       listing_id, sold_as, sku, title, purchased_at, 'GBP', quantity, shipped, 0, '', item_price,
       item_tax, 0, 0, item_promotion, shipping_price, shipping_tax, 0, refunded
FROM b_item ORDER BY id;

-- == contacts and payments
INSERT INTO orders_contact (order_id, merchant_id, purchased_at, buyer_email, relay_email,
  buyer_phone, recipient_name, address_1, address_2, address_3, city, region, postal_code, country,
  gift_message)
SELECT o.id, o.merchant_id, o.purchased_at, 'buyer' || b.buyer || '@mail.example', '',
       '07700 900' || lpad((b.buyer %% 1000)::text, 3, '0'), o.buyer_name,
       1 + b.buyer %% 200 || ' Harbour Row', '', '', 'Leeds', '', 'LS6 2AB', 'GB', ''
FROM b_order b JOIN orders_order o ON o.id = b.id ORDER BY o.id;
INSERT INTO payments_payment (order_id, merchant_id, method, token, started_at, next_check_at,
                              checks)
SELECT id, merchant_id, 'card', 'ok', purchased_at,
       CASE WHEN status = 'pending' THEN %(now)s::timestamptz + interval '1 year' END, 1
FROM b_order ORDER BY id;

-- == shipments
INSERT INTO orders_shipment (id, merchant_id, order_id, number, ship_date, carrier, carrier_name,
  method, tracking_id, confirmed_at, confirmed_by, door, version)
SELECT id, merchant_id, id, 1, (acted_at AT TIME ZONE 'Europe/London')::date, 'Royal Mail', '',
       'Standard', 'RM' || lpad(id::text, 9, '0') || 'GB', acted_at, 'Jo Adair', 'form', 1
FROM b_order WHERE status IN ('shipped', 'partially_shipped') ORDER BY id;
INSERT INTO orders_shipmentline (order_id, shipment_id, item_id, quantity)
SELECT order_id, order_id, id, shipped FROM b_item WHERE shipped > 0 ORDER BY id;
INSERT INTO orders_cancellation (order_id, merchant_id, move, reason, counts, zeroed_out, note,
                                 cancelled_at, cancelled_by, door)
SELECT id, merchant_id, 'T09', 'NoInventory', true, false, '', acted_at, 'Jo Adair', 'form'
FROM b_order WHERE status = 'cancelled' ORDER BY id;
INSERT INTO orders_refund (id, merchant_id, order_id, number, state, reason, memo, total, item_cost,
                           delivery, currency, submitted_at, submitted_by, door, finished_at)
SELECT o.id, o.merchant_id, o.id, 1, 'completed', 'CustomerReturn', '', t.refunded, t.refunded, 0,
       'GBP', refunded_at, 'Jo Adair', 'form', refunded_at
FROM b_order o JOIN b_total t ON t.order_id = o.id,
  LATERAL (SELECT o.acted_at + interval '1 minute' AS refunded_at) AS moment
WHERE o.is_refunded ORDER BY o.id;

-- == money
-- One line of the ledger an item, where life has one a component: the sums are the same.
INSERT INTO payments_operation (order_id, merchant_id, purpose, sequence, key, amount, currency,
  state, plan, reference, error_code, attempts, created_at, finished_at)
SELECT o.id, o.merchant_id, 'capture', 1, gen_random_uuid(), t.total, 'GBP', 'done', '{}',
       'bench-' || o.id, '', 1, o.acted_at, o.acted_at
FROM b_order o JOIN b_total t ON t.order_id = o.id
WHERE o.status IN ('shipped', 'partially_shipped') ORDER BY o.id;
INSERT INTO payments_ledgerline (merchant_id, order_id, item_id, kind, component, amount, currency,
                                 posted_at)
SELECT i.merchant_id, i.order_id, i.id, 'charge', 'item_price',
       i.gross - i.item_promotion + i.shipping_price + i.shipping_tax, 'GBP', o.acted_at
FROM b_item i JOIN b_order o ON o.id = i.order_id
WHERE o.status IN ('shipped', 'partially_shipped') ORDER BY i.id;
INSERT INTO payments_ledgerline (merchant_id, order_id, item_id, refund_id, kind, component, amount,
                                 currency, posted_at)
SELECT i.merchant_id, i.order_id, i.id, i.order_id, 'refund', 'item_price', -i.refunded, 'GBP',
       o.acted_at + interval '1 minute'
FROM b_item i JOIN b_order o ON o.id = i.order_id WHERE i.refunded > 0 ORDER BY i.id;

-- == history
INSERT INTO audit_entry (merchant_id, number, order_id, event, happened_at, door, actor, before,
                         after)
SELECT e.merchant_id,
       c.last + row_number() OVER (PARTITION BY e.merchant_id ORDER BY e.at, e.id, e.step),
       e.id, e.event, e.at, e.door, e.actor, e.before, e.after
FROM (
  SELECT id, merchant_id, 1 AS step, 'order.placed' AS event, purchased_at AS at, 'api' AS door,
         'shop' AS actor, '{}'::jsonb AS before,
         jsonb_build_object('status', 'pending', 'items', item_count) AS after FROM b_order
  UNION ALL
  SELECT id, merchant_id, 2, 'order.verified', verified_at, 'gateway', 'payment check',
         '{"status": "pending"}',
         '{"move": "T02", "status": "unshipped", "payment": "authorised"}'
  FROM b_order WHERE status <> 'pending'
  UNION ALL
  SELECT o.id, merchant_id, 3, 'order.shipment_confirmed', acted_at, 'form', 'Jo Adair',
         '{"status": "unshipped"}',
         jsonb_build_object('move', 'T05', 'status', status, 'shipment', 1, 'units', t.shipped,
                            'not_sent', 0, 'charged', t.total::text)
  FROM b_order o JOIN b_total t ON t.order_id = o.id
  WHERE status IN ('shipped', 'partially_shipped')
  UNION ALL
  SELECT id, merchant_id, 3, 'order.cancelled', acted_at, 'form', 'Jo Adair',
         '{"status": "unshipped"}',
         '{"move": "T09", "status": "cancelled", "reason": "NoInventory"}'
  FROM b_order WHERE status = 'cancelled'
  UNION ALL
  SELECT id, merchant_id, step, event, acted_at + interval '1 minute', 'form', 'Jo Adair', '{}',
         jsonb_build_object('refund', 1, 'total', t.refunded::text)
  FROM b_order o JOIN b_total t ON t.order_id = o.id,
    (VALUES (4, 'order.refund_submitted'), (5, 'order.refund_completed')) AS s (step, event)
  WHERE o.is_refunded
) AS e JOIN audit_historycounter c USING (merchant_id)
ORDER BY e.at, e.id, e.step;
UPDATE audit_historycounter c SET last = e.last
FROM (SELECT merchant_id, max(number) AS last FROM audit_entry GROUP BY merchant_id) AS e
WHERE e.merchant_id = c.merchant_id;

-- == messages
-- One message a fact, sent long ago, where life has up to three.
INSERT INTO notifications_outbox (merchant_id, order_id, channel, kind, event_key, payload, state,
                                  attempts, created_at, available_at, last_error)
SELECT e.merchant_id, e.order_id, 'notification', k.kind,
       'history-' || e.merchant_id || '-' || e.number || ':' || k.kind,
       jsonb_build_object('history', e.number), 'sent', 1, e.happened_at, e.happened_at, ''
FROM audit_entry e
JOIN (VALUES ('order.placed', 'NewOrderNotification'),
             ('order.verified', 'OrderReadyToShipNotification'),
             ('order.shipment_confirmed', 'OrderShipmentConfirmedNotification'),
             ('order.cancelled', 'OrderCancelledNotification'),
             ('order.refund_completed', 'N10')) AS k (event, kind) USING (event)
ORDER BY e.id;

-- == tallies
INSERT INTO orders_daytally (merchant_id, day, status_rank, orders)
SELECT merchant_id, (purchased_at AT TIME ZONE 'UTC')::date, status_rank, count(*)
FROM orders_order GROUP BY 1, 2, 3;

-- == counting on
SELECT setval(pg_get_serial_sequence('orders_order', 'id'), (SELECT max(id) FROM orders_order)),
       setval(pg_get_serial_sequence('orders_item', 'id'), (SELECT max(id) FROM orders_item)),
       setval(pg_get_serial_sequence('orders_shipment', 'id'), (SELECT max(id) FROM orders_order)),
       setval(pg_get_serial_sequence('orders_refund', 'id'), (SELECT max(id) FROM orders_order));
DROP TABLE b_total, b_item, b_order, b_listing, b_shop;
