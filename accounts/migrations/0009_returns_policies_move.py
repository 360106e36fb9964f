"""Returns policies are copied to the profiles, and the code forgets the old column.

The column itself goes with a later release: until then code of the release before may read it.
"""

from django.db import migrations

COPY = """
INSERT INTO accounts_profile
  (merchant_id, about, returns, shipping, gift_services, privacy, faq, version)
SELECT id, '', left(returns_policy, 10000), '', '', '', '', 0
FROM accounts_merchant WHERE returns_policy <> ''
ON CONFLICT (merchant_id) DO NOTHING
"""
BACK = """
UPDATE accounts_merchant SET returns_policy = p.returns
FROM accounts_profile p WHERE p.merchant_id = accounts_merchant.id
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_profiles")]
    operations = [
        migrations.RunSQL(COPY, BACK),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("merchant", "returns_policy")]
        ),
    ]
