"""Keys of programs: shown once, kept as a digest, ended at once."""

from __future__ import annotations

import pytest

from accounts.domain import keys
from accounts.models import ApiKey
from accounts.permissions import Function, Level
from audit.models import Entry
from tests.factories import STAFF


@pytest.mark.req("IMPL-13", "IMPL-04")
def test_a_key_is_made_with_a_secret_that_is_kept_nowhere(shop):
    levels = {Function.MANAGE_ORDERS: Level.VIEW}
    key, secret = keys.create_key(merchant=shop, name="Till", by=STAFF, levels=levels)
    assert secret.startswith(f"sc_{key.prefix}_")
    assert len(secret) > 50
    row = ApiKey.objects.values().get()
    assert secret not in str(row)
    assert len(row["digest"]) == 32
    assert row["levels"] == {"manage_orders": 1}
    entry = Entry.objects.get()
    assert (entry.event, entry.after) == ("key.created", {"key": key.prefix, "name": "Till"})
    assert keys.create_key(merchant=shop, name="Till", by=STAFF)[1] != secret


@pytest.mark.req("IMPL-13")
def test_only_the_whole_secret_of_a_live_key_opens(shop):
    key, secret = keys.create_key(merchant=shop, name="Till", by=STAFF)
    found = keys.authenticate(secret)
    assert found is not None
    assert (found.pk, found.merchant) == (key.pk, shop)
    for wrong in (secret[:-1], secret + "x", secret.upper(), key.prefix, "", "sc__"):
        assert keys.authenticate(wrong) is None
    keys.revoke_key(key_id=key.pk, by=STAFF)
    assert keys.authenticate(secret) is None
    keys.revoke_key(key_id=key.pk, by=STAFF)  # twice is once
    assert list(Entry.objects.order_by("number").values_list("event", flat=True)) == [
        "key.created",
        "key.revoked",
    ]


def test_the_last_use_is_kept(shop):
    key, secret = keys.create_key(merchant=shop, name="Till", by=STAFF)
    assert key.last_used_at is None
    keys.authenticate(secret)
    first = ApiKey.objects.get().last_used_at
    keys.authenticate(secret)
    assert first is not None
    assert ApiKey.objects.get().last_used_at == first  # to within five minutes
