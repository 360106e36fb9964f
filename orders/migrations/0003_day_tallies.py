"""Orders counted by day and status, kept by triggers: nothing that writes orders can forget it."""

import django.db.models.deletion
from django.db import migrations, models

# Rows are locked in one order, so that two writers cannot deadlock; what is taken away is never
# inserted, for the row's own constraint would refuse it.
KEEP = """
CREATE FUNCTION keep_day_tallies(deltas jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM orders_daytally t
    JOIN jsonb_to_recordset(deltas) AS d (m bigint, day date, rank smallint, n int)
      ON (t.merchant_id, t.day, t.status_rank) = (d.m, d.day, d.rank)
    ORDER BY t.merchant_id, t.day, t.status_rank FOR UPDATE OF t;
  INSERT INTO orders_daytally AS t (merchant_id, day, status_rank, orders)
    SELECT d.m, d.day, d.rank, d.n
    FROM jsonb_to_recordset(deltas) AS d (m bigint, day date, rank smallint, n int)
    WHERE d.n > 0 ORDER BY d.m, d.day, d.rank
    ON CONFLICT (merchant_id, status_rank, day) DO UPDATE SET orders = t.orders + excluded.orders;
  UPDATE orders_daytally t SET orders = t.orders + d.n
    FROM jsonb_to_recordset(deltas) AS d (m bigint, day date, rank smallint, n int)
    WHERE d.n < 0 AND (t.merchant_id, t.day, t.status_rank) = (d.m, d.day, d.rank);
END $$;

CREATE FUNCTION orders_came() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE deltas jsonb;
BEGIN
  SELECT jsonb_agg(to_jsonb(d)) INTO deltas FROM (
    SELECT merchant_id AS m, (purchased_at AT TIME ZONE 'UTC')::date AS day, status_rank AS rank,
           count(*) AS n
    FROM came GROUP BY 1, 2, 3) AS d;
  IF deltas IS NOT NULL THEN PERFORM keep_day_tallies(deltas); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tally_new_orders AFTER INSERT ON orders_order
  REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION orders_came();

CREATE FUNCTION orders_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE deltas jsonb;
BEGIN
  SELECT jsonb_agg(to_jsonb(d)) INTO deltas FROM (
    SELECT m.merchant_id AS m, (m.purchased_at AT TIME ZONE 'UTC')::date AS day, s.rank,
           sum(s.n) AS n
    FROM (SELECT c.merchant_id, c.purchased_at, w.status_rank AS source, c.status_rank AS target
          FROM came c JOIN went w USING (id) WHERE c.status_rank <> w.status_rank) AS m,
         LATERAL (VALUES (m.source, -1), (m.target, 1)) AS s (rank, n)
    GROUP BY 1, 2, 3 HAVING sum(s.n) <> 0) AS d;
  IF deltas IS NOT NULL THEN PERFORM keep_day_tallies(deltas); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tally_moved_orders AFTER UPDATE ON orders_order
  REFERENCING OLD TABLE AS went NEW TABLE AS came
  FOR EACH STATEMENT EXECUTE FUNCTION orders_moved();

INSERT INTO orders_daytally (merchant_id, day, status_rank, orders)
  SELECT merchant_id, (purchased_at AT TIME ZONE 'UTC')::date, status_rank, count(*)
  FROM orders_order GROUP BY 1, 2, 3;
"""
FORGET = """
DROP TRIGGER tally_moved_orders ON orders_order;
DROP TRIGGER tally_new_orders ON orders_order;
DROP FUNCTION orders_moved();
DROP FUNCTION orders_came();
DROP FUNCTION keep_day_tallies(jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_password_resets"),
        ("orders", "0002_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="DayTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("status_rank", models.PositiveSmallIntegerField()),
                ("orders", models.IntegerField()),
                (
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="accounts.merchant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "status_rank", "day"),
                        name="one_tally_per_day_and_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("orders__gte", 0)), name="tally_is_never_below_zero"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status_rank__in", (0, 1, 2, 3, 4))),
                        name="tally_status_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(KEEP, FORGET),
    ]
