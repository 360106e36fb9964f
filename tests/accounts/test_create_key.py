"""A key of a shop, made at the command line."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from tests.factories import unshipped_order


@pytest.mark.req("MWS-13", "IMPL-13")
def test_a_key_made_at_the_command_line_opens_the_api_of_its_shop_alone(client, shop, charlie):
    out = io.StringIO()
    call_command("create_key", "--merchant", shop.slug, "--name", "till", stdout=out)
    secret = out.getvalue().strip()
    order = unshipped_order(shop)
    header = {"Authorization": f"Bearer {secret}"}
    assert client.get(f"/api/v1/orders/{order.number}/", headers=header).status_code == 200
    other = charlie.memberships.get().merchant
    theirs = unshipped_order(other)
    assert client.get(f"/api/v1/orders/{theirs.number}/", headers=header).status_code == 404
    assert Entry.objects.get(event="key.created").after["name"] == "till"


def test_a_key_of_nobody_is_refused(db):
    with pytest.raises(CommandError, match="There is no merchant nobody"):
        call_command("create_key", "--merchant", "nobody")
