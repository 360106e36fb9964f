"""All of these tests are made on processes that own nothing in the database."""

from __future__ import annotations

import psycopg2
import pytest

from quickstart import services


@pytest.mark.req("SD-13", "INV-10")
def test_the_processes_sign_in_as_a_role_that_owns_nothing(stack, stage, alice):
    (number,) = stage.orders(status="unshipped")
    assert alice.get(f"/orders/{number}/").status == 200
    seen = stack.rows(
        "SELECT usename, count(*) FROM pg_stat_activity WHERE application_name = 'sellercentral'"
        " GROUP BY usename"
    )
    assert [role for role, _sessions in seen] == [services.APPLICATION]
    talk = psycopg2.connect(stack.postgres.url(role=services.APPLICATION))
    with talk, talk.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute("DELETE FROM audit_entry")
    talk.close()
