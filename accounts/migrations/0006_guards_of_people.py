"""An operator belongs to no merchant, and an account that has owners keeps one."""

from django.db import migrations

# A membership refers to a user who is no operator; no lock in the code is needed for this.
PIN = """
ALTER TABLE accounts_membership
  ADD user_is_operator boolean GENERATED ALWAYS AS (false) STORED NOT NULL;
ALTER TABLE accounts_membership ADD CONSTRAINT an_operator_belongs_to_no_merchant
  FOREIGN KEY (user_id, user_is_operator) REFERENCES accounts_user (id, is_operator);
"""
NO_PIN = """
ALTER TABLE accounts_membership DROP CONSTRAINT an_operator_belongs_to_no_merchant;
ALTER TABLE accounts_membership DROP COLUMN user_is_operator;
"""

# Whoever takes an owner away waits for the merchant's row, then counts anew: of two who go at once
# one stays. The lock lets orders be placed, whose keys only refer to the row.
OWNERS = """
CREATE FUNCTION an_account_keeps_an_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM accounts_merchant WHERE id = OLD.merchant_id FOR NO KEY UPDATE;
  IF NOT EXISTS (
    SELECT 1 FROM accounts_membership
    WHERE merchant_id = OLD.merchant_id AND is_owner AND removed_at IS NULL
  ) THEN
    RAISE EXCEPTION 'merchant % would have no owner', OLD.merchant_id
      USING ERRCODE = '23514', CONSTRAINT = 'an_account_keeps_an_owner';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER an_account_keeps_an_owner
  AFTER UPDATE OF removed_at, is_owner, merchant_id OR DELETE ON accounts_membership
  FOR EACH ROW WHEN (OLD.is_owner AND OLD.removed_at IS NULL)
  EXECUTE FUNCTION an_account_keeps_an_owner();
"""
NO_OWNERS = """
DROP TRIGGER an_account_keeps_an_owner ON accounts_membership;
DROP FUNCTION an_account_keeps_an_owner();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_people_and_settings")]
    operations = [migrations.RunSQL(PIN, NO_PIN), migrations.RunSQL(OWNERS, NO_OWNERS)]
