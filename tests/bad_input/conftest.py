"""The owner of the shop at a browser, and a look at everything that could have been written."""

from __future__ import annotations

import pytest

from accounts.domain import keys
from tests.factories import STAFF


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def key(shop):
    return keys.create_key(merchant=shop, name="shop", by=STAFF)[1]
