"""The cast: alice owns the shop, bob may only look, charlie owns another shop."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from accounts.models import Merchant, User
from accounts.permissions import Preset
from core import breaker, counts, roles
from orders.models import Order
from payments.gateways import sandbox
from tests.contract_plugin import (  # noqa: F401  hooks of pytest
    pytest_runtest_logreport,
    pytest_sessionfinish,
)
from tests.factories import MembershipFactory, MerchantFactory, marketplace, unshipped_order

# Playwright keeps an event loop in this thread; the framework would refuse the database then.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the test runner empty append-only tables; their guards against it have a test each."""
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tgrelid::regclass, tgname FROM pg_trigger JOIN pg_proc p ON p.oid = tgfoid"
                " WHERE proname = 'rows_are_only_added' AND tgtype & 32 <> 0"  # BEFORE TRUNCATE
            )
            for table, trigger in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        yield
        sandbox.close_books()
        assert _others() == [], "Someone keeps a connection to the test database."


@pytest.fixture(scope="session")
def application_sign_in(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, str]]:
    """How the application's role signs in, which has its rights on the test database alone."""
    sign_in = {"USER": f"{connection.settings_dict['NAME']}_app", "PASSWORD": "for-tests-alone"}
    with django_db_blocker.unblock():
        roles.admit(sign_in["USER"], sign_in["PASSWORD"])
    yield sign_in
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(f'DROP OWNED BY "{sign_in["USER"]}"')
        cursor.execute(f'DROP ROLE "{sign_in["USER"]}"')


@pytest.fixture
def as_the_application(
    transactional_db: None, application_sign_in: dict[str, str]
) -> Iterator[None]:
    """Every connection of this process signs in as the application does on a server (SD-13).

    Tests sign in as the owner otherwise, who empties the tables after them.
    """
    shared = connection.settings_dict  # read by each connection that is opened, in all threads
    owner = {name: shared[name] for name in application_sign_in}

    def sign_in(who: dict[str, str]) -> None:
        shared.update(who)
        for each in (connection, *sandbox._opened):  # opened again when they are needed
            each.close()

    sign_in(application_sign_in)
    yield
    sign_in(owner)


def _others(seconds: float = 10.0) -> list[tuple[str, str]]:
    """Wait until everyone else has hung up; return who has not: their state, and what they did."""
    end = time.monotonic() + seconds
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT state, left(query, 200) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            others = cursor.fetchall()
        if not others or time.monotonic() > end:
            return others
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """Limits and counts begin anew in each test, and servers that were away are asked again."""
    cache.clear()
    breaker.mail.reset()
    counts.drop()


@pytest.fixture
def shop(db: None) -> Merchant:
    return MerchantFactory(name="Harbour & Hearth Ltd", slug="harbour-hearth")


@pytest.fixture
def alice(shop: Merchant) -> User:
    return MembershipFactory(
        merchant=shop, user__name="Alice Owner", user__email="alice@shop.example", is_owner=True
    ).user


@pytest.fixture
def bob(shop: Merchant) -> User:
    return MembershipFactory(
        merchant=shop,
        user__name="Bob Reader",
        user__email="bob@shop.example",
        preset=Preset.READ_ONLY,
    ).user


@pytest.fixture
def charlie(db: None) -> User:
    return MembershipFactory(
        merchant__name="Other Shop Ltd",
        merchant__slug="other-shop",
        user__name="Charlie Stranger",
        user__email="charlie@other.example",
        is_owner=True,
    ).user


@pytest.fixture
def order(shop: Merchant) -> Order:
    """A verified order of one item, three units."""
    return unshipped_order(shop, quantity=3)


@pytest.fixture
def japanese_shop(db: None) -> Merchant:
    return MerchantFactory(
        name="北の暮らし株式会社", slug="kita", marketplace=marketplace("JP_2019"), country="JP"
    )


@pytest.fixture
def kenji(japanese_shop: Merchant) -> User:
    return MembershipFactory(
        merchant=japanese_shop, user__email="kenji@kita.example", is_owner=True
    ).user
