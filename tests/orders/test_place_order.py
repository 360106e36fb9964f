"""Orders come in: the JSON API, and the file a command imports."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from accounts.domain import keys
from accounts.models import Holiday
from accounts.permissions import Function, Level
from catalog.models import Listing
from core import breaker, clock, throttle
from core.actor import Actor
from core.days import day_words
from orders.domain import verification
from orders.models import Order
from tests.factories import (
    GATEWAY,
    PLAIN,
    STAFF,
    ItemDraft,
    ListingFactory,
    cancelled_order,
    pending_order,
    unshipped_order,
)
from tests.pages import kinds, words

URL = "/api/v1/orders/"


@pytest.fixture
def key(shop):
    return keys.create_key(merchant=shop, name="shop", by=STAFF)[1]


@pytest.fixture
def listing(shop):
    return ListingFactory(merchant=shop, quantity_available=5)


def body(listing, **changes):
    return {
        "merchant_order_number": "W-1001",
        "buyer_name": "Zoë Brontë",
        "buyer_email": "zoe@mail.example",
        "ship_to": {
            "recipient_name": "Zoë Brontë", "address_1": "3 Café Court", "city": "Haworth",
            "postal_code": "BD22 8DU", "country": "GB",
        },
        "items": [{"sku": listing.sku, "quantity": 2, "item_price": "24.17", "item_tax": "4.83"}],
        "payment": {"token": "ok"},
    } | changes  # fmt: skip


def post(client, key, data, **headers):
    text = data if isinstance(data, str) else json.dumps(data)
    sent = {"authorization": f"Bearer {key}", **headers}
    return client.post(URL, text, content_type="application/json", headers=sent)


@pytest.mark.req(
    "MWS-14", "T01", "PENDING-01", "INVENTORY-02", "SHIP-18", "INTEGRATION-12", "ORDERTYPE-08"
)
def test_an_order_comes_in_pending_and_takes_its_stock(client, key, shop, listing):
    answer = post(client, key, body(listing))

    told = answer.json()
    order = Order.objects.get()
    listing.refresh_from_db()
    assert answer.status_code == 201
    assert (told["order_id"], told["status"], told["total"]) == (order.number, "pending", "29.00")
    assert (told["ship_to"], told["buyer_email"]) == (None, None)
    assert listing.quantity_available == 3
    assert kinds(order) == ["NewOrderNotification"]
    assert order.history.get().actor == "API key shop"
    assert order.deadline_at == order.purchased_at + timedelta(days=30)
    assert order.ship_by_at.astimezone(shop.marketplace.zone).hour == 23


@pytest.mark.req("IMPL-21", "PENDING-13", "MWS-14")
@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=3)])
def test_an_order_without_an_instant_is_bought_now_by_the_merchants_clock(
    client, key, shop, listing, ahead
):
    """The clock of the database, and of a sandbox: never that of the machine that answers."""
    shop.is_sandbox, shop.clock_ahead = True, ahead
    shop.save()
    now = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    with clock.stopped(now):
        assert post(client, key, body(listing)).status_code == 201
    assert Order.objects.get().purchased_at == now + ahead


@pytest.mark.req("SHIP-18", "IMPL-05")
@pytest.mark.parametrize(
    ("bought", "ship_by", "changes"),
    [
        ("2026-06-05 10:00", "2026-06-09 22:59:59", {}),  # a Friday: Tuesday, in summer time
        ("2026-01-09 10:00", "2026-01-13 23:59:59", {}),
        ("2026-06-05 23:30", "2026-06-09 22:59:59", {}),  # by then Saturday in London
        ("2026-06-04 23:30", "2026-06-09 22:59:59", {}),  # by then Friday in London
        ("2026-06-05 10:00", "2026-06-10 22:59:59", {"holiday": "2026-06-08"}),
        ("2026-06-05 10:00", "2026-06-08 22:59:59", {"account": 1}),
        ("2026-06-05 10:00", "2026-06-11 22:59:59", {"account": 1, "listing": 4}),
        ("2026-06-05 10:00", "2026-06-05 22:59:59", {"listing": 0}),
    ],
)
def test_the_ship_by_moment_is_the_end_of_a_local_business_day(shop, bought, ship_by, changes):
    if "holiday" in changes:
        Holiday.objects.create(marketplace=shop.marketplace, date=changes["holiday"])
    shop.handling_business_days = changes.get("account")
    shop.save()
    listing = ListingFactory(merchant=shop, handling_business_days=changes.get("listing"))
    at = datetime.fromisoformat(f"{bought}+00:00")

    order = pending_order(shop, purchased_at=at, lines=[ItemDraft(listing.sku, 1, PLAIN)])

    assert order.ship_by_at == datetime.fromisoformat(f"{ship_by}+00:00")
    shop.handling_business_days = 9
    shop.save()
    order.refresh_from_db()
    assert order.ship_by_at == datetime.fromisoformat(f"{ship_by}+00:00")  # stored (AUTO-15)


@pytest.mark.req("PENDING-13", "AUTO-01", "DETAIL-01")
def test_the_thirty_days_run_from_the_purchase_however_late_it_is_verified(client, alice, shop):
    order = pending_order(shop)
    bought, deadline = order.purchased_at, order.deadline_at
    with clock.stopped(bought + timedelta(days=3)):
        verification.check_payments(by=GATEWAY)

    order.refresh_from_db()
    assert (order.purchased_at, order.verified_at) == (bought, bought + timedelta(days=3))
    assert order.deadline_at == deadline == bought + timedelta(days=30)
    client.force_login(alice)
    text = words(client.get(f"/orders/{order.number}/"))
    paid = (bought + timedelta(days=3)).astimezone(shop.marketplace.zone)
    assert f"Payments date {day_words(paid.date(), 'GB')}" in text


@pytest.mark.req("PENDING-15", "PENDING-10", "T02", "SHIP-10")
def test_money_at_the_convenience_store_comes_in_advance(japanese_shop):
    order = pending_order(
        japanese_shop,
        age=timedelta(0),
        payment_method="convenience_store",
        payment_token="convenience-store-paid",
    )
    for minutes, state in ((10, "awaiting_payment"), (16, "paid_in_advance")):
        with clock.stopped(order.purchased_at + timedelta(minutes=minutes)):
            verification.check_payments(by=GATEWAY)
        order.refresh_from_db()
        assert order.payment_state == state
    assert (order.status, order.charged_at) == ("unshipped", None)
    assert order.advance_paid_at == order.verified_at


@pytest.mark.req(
    "PENDING-02", "PENDING-03", "PENDING-15", "T02", "T03", "INVENTORY-05", "PENDING-06"
)
@pytest.mark.parametrize(
    ("token", "minutes", "status", "messages"),
    [
        (
            "ok",
            16,
            "unshipped",
            ["N01", "N02", "NewOrderNotification", "OrderReadyToShipNotification"],
        ),
        ("ok", 10, "pending", ["NewOrderNotification"]),
        ("ok-slow", 20, "pending", ["N03", "NewOrderNotification"]),
        (
            "declined",
            16,
            "cancelled",
            ["N04", "NewOrderNotification", "OrderCancelledNotification"],
        ),
        ("fraud", 16, "cancelled", ["N04", "NewOrderNotification", "OrderCancelledNotification"]),
    ],
)
def test_the_gateway_decides_about_it(client, key, shop, listing, token, minutes, status, messages):
    post(client, key, body(listing, payment={"token": token}))
    order = Order.objects.get()

    for _ in range(2):  # the job may run twice
        with clock.stopped(order.purchased_at + timedelta(minutes=minutes)):
            verification.check_payments(by=GATEWAY)

    order.refresh_from_db()
    listing.refresh_from_db()
    assert order.status == status
    assert kinds(order) == messages
    assert listing.quantity_available == (5 if status == "cancelled" else 3)
    if status == "cancelled":
        assert order.cancellation.counts is False


@pytest.mark.req("PENDING-12", "PENDING-10")
def test_what_is_never_verified_ends(client, key, shop, listing):
    post(client, key, body(listing, payment={"token": "ok-slow"}))
    order = Order.objects.get()
    answers = {order.pk: verification.Verification(verification.Outcome.CHECKING)}
    for days, status in ((6, "pending"), (7, "cancelled")):
        at = order.purchased_at + timedelta(days=days)
        verification.settle_verifications(answers, by=GATEWAY, at={order.pk: at})
        order.refresh_from_db()
        assert order.status == status
    assert order.cancellation.reason == "PaymentTimeout"


@pytest.mark.req("PENDING-10")
def test_a_convenience_store_order_waits_for_its_term(japanese_shop):
    order = pending_order(
        japanese_shop, payment_method="convenience_store", payment_token="convenience-store-unpaid"
    )
    assert (order.payment_state, kinds(order)) == (
        "awaiting_payment",
        ["N30", "NewOrderNotification"],
    )
    with clock.stopped(order.purchased_at + timedelta(days=6, minutes=1)):
        verification.check_payments(by=GATEWAY)
    order.refresh_from_db()
    assert (order.status, order.cancellation.reason) == ("cancelled", "AdvancePaymentOverdue")


@pytest.mark.req("INV-02", "INTEGRATION-13", "IMPL-01")
def test_the_same_idempotency_key_places_one_order(client, key, listing):
    first, second = (post(client, key, body(listing), idempotency_key="k1") for _ in range(2))
    other = post(client, key, body(listing, buyer_name="Else"), idempotency_key="k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["order_id"] == second.json()["order_id"]
    assert (other.status_code, other.json()["code"]) == (422, "TOKEN_REUSED")
    assert Order.objects.count() == 1


@pytest.mark.req("INV-02", "INTEGRATION-13", "IMPL-01")
def test_a_refused_request_gives_its_idempotency_key_back(client, key, shop, listing):
    items = [{"sku": listing.sku, "quantity": 6, "item_price": "1"}]
    wanted = body(listing, items=items)

    first, again = (post(client, key, wanted, idempotency_key="k1") for _ in range(2))

    assert [(a.status_code, a.json()["code"]) for a in (first, again)] == [
        (422, "OUT_OF_STOCK")
    ] * 2
    Listing.objects.filter(pk=listing.pk).update(quantity_available=6)
    assert post(client, key, wanted, idempotency_key="k1").status_code == 201
    shop.state = "suspended"
    shop.save()
    closed = [post(client, key, body(listing), idempotency_key="k2").json() for _ in range(2)]
    assert [answer["code"] for answer in closed] == ["ACCOUNT_SUSPENDED"] * 2


@pytest.mark.req("MWS-14")
def test_the_shops_own_number_comes_in_once(client, key, listing):
    first = post(client, key, body(listing))
    again = post(client, key, body(listing))
    assert (again.status_code, again.json()["code"]) == (409, "ALREADY_KNOWN")
    assert again.json()["facts"] == {"order_id": first.json()["order_id"]}


@pytest.mark.req("INVENTORY-04", "INVENTORY-03", "MWS-14")
@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"items": [{"sku": "SKU", "quantity": 6, "item_price": "1"}]}, 422, "OUT_OF_STOCK", "items.0.quantity"),
        ({"items": [{"sku": "none", "quantity": 1, "item_price": "1"}]}, 422, "LISTING_INACTIVE", "items.0.sku"),
        ({"items": [{"sku": "SKU", "quantity": 1, "item_price": "1", "item_promotion": "2"}]}, 422, "INVALID_INPUT", "items.0.item_promotion"),
        ({"payment": {"token": "ok", "method": "points"}}, 422, "INVALID_INPUT", "payment_method"),
        ({"buyer_name": "a\nb"}, 422, "INVALID_INPUT", "buyer_name"),
        ({"buyer_email": "a@[127.0.0.1]"}, 422, "INVALID_INPUT", "buyer_email"),
        ({"purchased_at": "2099-01-01T00:00:00Z"}, 422, "INVALID_INPUT", "purchased_at"),
    ],
)  # fmt: skip
def test_what_cannot_be_placed_is_refused_with_its_field(
    client, key, listing, change, status, code, field
):
    text = json.dumps(body(listing, **change)).replace('"SKU"', json.dumps(listing.sku))
    answer = post(client, key, text)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (
        status,
        code,
        field,
    )
    assert not Order.objects.exists()
    listing.refresh_from_db()
    assert listing.quantity_available == 5


@pytest.mark.req("MWS-14", "TH-18", "BI-URL")
@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"a": 1, "a": 2}', '{"buyer_name": NaN}', "[" * 2000,
        '{"status": "shipped"}', '{"items": "x"}', '{"items": []}', '"x"', "\xff",
    ],
)  # fmt: skip
def test_a_body_that_makes_no_sense_gets_400(client, key, text):
    answer = post(client, key, text)
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.req("MWS-14", "MONEY-01", "MONEY-12")
@pytest.mark.parametrize(
    "amount", ["-1", "1.005", "NaN", "Infinity", "1e400", "x", None, True, [], 10**13]
)
def test_amounts_are_checked(client, key, listing, amount):
    items = [{"sku": listing.sku, "quantity": 1, "item_price": amount}]
    assert post(client, key, body(listing, items=items)).status_code in (400, 422)
    assert not Order.objects.exists()


@pytest.mark.req("MWS-14", "IMPL-03", "MWS-08")
def test_keys_open_one_merchants_orders_and_no_other(client, key, shop, charlie):
    order, foreign = unshipped_order(shop), unshipped_order(charlie.memberships.get().merchant)
    sent = {"authorization": f"Bearer {key}"}
    mine = client.get(f"{URL}{order.number}/", headers=sent)
    assert mine.json()["ship_to"]["postal_code"] == "PA75 6NU"
    assert client.get(f"{URL}{foreign.number}/", headers=sent).status_code == 404
    assert [o["order_id"] for o in client.get(URL, headers=sent).json()["orders"]] == [order.number]
    hidden = cancelled_order(shop)
    assert client.get(f"{URL}{hidden.number}/", headers=sent).json()["ship_to"] is None
    for wrong in ("", "Bearer", "Bearer x", f"Basic {key}", f"Bearer {key}x"):
        assert client.get(URL, headers={"authorization": wrong}).status_code == 401


@pytest.mark.req("MWS-14", "IMPL-03")
def test_what_is_not_there_is_named_and_no_answer_is_kept(client, key, order):
    sent = {"authorization": f"Bearer {key}"}
    missing = client.get(f"{URL}203-0000000-0000000/", headers=sent)
    said = {"code": "NOT_FOUND", "message": "Not found.", "field": "", "facts": {}, "remedy": ""}
    assert (missing.status_code, missing.json()) == (404, said)
    stranger = client.get(URL, headers={"authorization": "Bearer x"})
    wrong = client.post(URL, "[", "application/json", headers=sent)
    answers = [client.get(URL, headers=sent), client.get(f"{URL}{order.number}/", headers=sent)]
    for answer in (*answers, missing, stranger, wrong):
        assert answer["Cache-Control"] == "no-store"


@pytest.mark.req("IMPL-12", "IMPL-30")
def test_a_key_has_a_limit_and_half_of_it_without_redis(client, key, settings):
    sent = {"authorization": f"Bearer {key}"}
    assert _tries(client, sent) == 360
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    }
    throttle._redis.cache_clear()
    try:
        assert _tries(client, sent) == 180
        assert breaker.redis.is_open  # a server that is away is not asked each time
    finally:
        breaker.redis.reset()
        throttle._redis.cache_clear()


def _tries(client, sent) -> int:
    """Call until the limit, at one instant; return how many calls were answered."""
    with clock.stopped(clock.now()):
        for tries in range(400):
            answer = client.get(f"{URL}?status=x", headers=sent)
            if answer.status_code == 429:
                assert 0 < int(answer["Retry-After"]) <= 60
                return tries
    return 400


@pytest.mark.req("MWS-08", "MWS-13", "INV-18", "PERMISSION-03")
def test_revoked_and_weak_keys_are_refused(client, shop, listing):
    key, secret = keys.create_key(
        merchant=shop, name="reader", by=STAFF, levels={Function.MANAGE_ORDERS: Level.VIEW}
    )
    assert client.get(URL, headers={"authorization": f"Bearer {secret}"}).status_code == 200
    answer = post(client, secret, body(listing))
    assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_DENIED")
    keys.revoke_key(key_id=key.pk, by=STAFF)
    assert client.get(URL, headers={"authorization": f"Bearer {secret}"}).status_code == 401


@pytest.mark.req("DETAIL-04", "PENDING-09")
def test_no_door_changes_an_order_by_writing_to_it(client, key, order):
    sent = {"authorization": f"Bearer {key}"}
    for method in ("put", "patch", "delete", "post"):
        answer = getattr(client, method)(
            f"{URL}{order.number}/", "{}", content_type="application/json", headers=sent
        )
        assert answer.status_code == 405


@pytest.mark.req("MWS-14", "SD-21")
def test_the_schema_is_published(client, key, alice):
    """To programs with a key and to people who are signed in (SD-21)."""
    assert client.get("/api/schema/").status_code == 401
    answer = client.get("/api/schema/?format=json", headers={"authorization": f"Bearer {key}"})
    client.force_login(alice)
    assert client.get("/api/schema/?format=json").json() == answer.json()
    one = "/api/v1/orders/{number}/"
    assert set(answer.json()["paths"]) == {"/api/v1/orders/", one, f"{one}delivery/"}


@pytest.mark.req("PERF-09")
def test_a_suspended_account_takes_no_new_orders(client, key, shop, listing):
    shop.state = "suspended"
    shop.save()
    assert post(client, key, body(listing)).json()["code"] == "ACCOUNT_SUSPENDED"


COLUMNS = (
    "order-id\tpurchase-date\tbuyer-name\tbuyer-email\trecipient-name\tship-address-1\tship-city\t"
    "ship-postal-code\tship-country\tsku\tproduct-name\tquantity-purchased\titem-price\tshipping-price"
)


def line(number, sku="CUP-1", quantity="2", price="20.00", **changes):
    cells = {
        "order-id": number, "purchase-date": "2026-01-05", "buyer-name": "Joe Smith",
        "buyer-email": "joe@mail.example", "recipient-name": "Joe Smith", "ship-address-1": "11 Main",
        "ship-city": "Slough", "ship-postal-code": "SL1 1QP", "ship-country": "GB", "sku": sku,
        "product-name": "Cup “blue”", "quantity-purchased": quantity, "item-price": price,
        "shipping-price": "1.50",
    } | changes  # fmt: skip
    return "\t".join(cells.values())


def run_import(tmp_path, shop, lines, encoding="utf-8"):
    file = tmp_path / "orders.txt"
    file.write_bytes("\r\n".join([COLUMNS, *lines]).encode(encoding))
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_orders", file, merchant=shop.slug, stdout=out, stderr=err)
    except CommandError as error:
        err.write(str(error))
    return out.getvalue(), err.getvalue()


@pytest.mark.req("MWS-14")
def test_a_file_of_orders_comes_in_and_a_second_run_adds_nothing(shop, tmp_path):
    lines = [
        line("A1"),
        line("A1", sku="JUG-1", quantity="1"),
        line("A2"),
        line("A3", price="1,00"),
    ]

    out, err = run_import(tmp_path, shop, lines)

    assert "2 placed, 0 known already, 1 refused" in out
    assert "line 5, order A3: item-price: must be an amount" in err
    first = Order.objects.get(merchant_order_number="A1")
    assert (first.item_count, first.total) == (2, Decimal("43.00"))
    assert Listing.objects.get(sku="CUP-1").quantity_available == 0
    out, _err = run_import(tmp_path, shop, [*lines[:3], line("A3")])
    assert "1 placed, 2 known already, 0 refused" in out


@pytest.mark.req("FEED-11", "IMPL-27")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_files_encoding_is_recognised(shop, tmp_path, encoding):
    run_import(tmp_path, shop, [line("A1")], encoding)
    assert Order.objects.get().items.get().title == "Cup “blue”"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The file is empty"),
        ("a\tb\nc\td", "Missing: order-id"),
        (COLUMNS + "\tcolour\n", "Unknown: colour"),
    ],
)
@pytest.mark.req("FEED-10")
def test_a_file_that_cannot_be_read_says_why(shop, tmp_path, text, message):
    file = tmp_path / "orders.txt"
    file.write_text(text)
    with pytest.raises(CommandError, match=message):
        call_command("import_orders", file, merchant=shop.slug)
    assert not Order.objects.exists()


def test_actor_of_an_import_is_in_the_history(shop, tmp_path):
    run_import(tmp_path, shop, [line("A1")])
    entry = Order.objects.get().history.get()
    assert (entry.door, entry.actor) == ("file", "import of orders.txt")
    assert Actor("file", "x").may_view("manage_orders") is False
