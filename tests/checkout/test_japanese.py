"""Buyers of a Japanese marketplace read Japanese, whatever page they come to."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings

from core import clock
from orders.domain import cancellations, requests, shipments
from orders.domain.packages import Package
from orders.enums import CancelReason
from tests.buyers import BUYER, file_request, page_of, post
from tests.factories import (
    AMOUNTS,
    STAFF,
    ContactDraft,
    pending_order,
    refund,
    unshipped_order,
)
from tests.pages import words

CATALOGUE = Path(settings.BASE_DIR) / "checkout" / "locale" / "ja" / "LC_MESSAGES" / "django.po"
# Names that are the same in every language.
NAMES = {"Seller", "Central", "Asia", "Tokyo", "JST", "Yamato", "Eilidh", "MacLeod", "PDF"}
CONTACT = ContactDraft(
    buyer_email="hanako@mail.example",
    recipient_name="山田 花子",
    address_1="千代田1-1",
    city="千代田区",
    postal_code="100-0001",
    country="JP",
)
YEN = {name: amount.quantize(Decimal(1)) for name, amount in AMOUNTS.items()}


def english_in(response) -> list[str]:
    return [word for word in re.findall(r"[A-Za-z]{3,}", words(response)) if word not in NAMES]


def draft(**changes):
    return {"contact": CONTACT, "amounts": YEN, "title": "益子焼 湯呑み"} | changes


@pytest.mark.req("BUYER-01", "IMPL-27")
def test_every_page_of_every_state_speaks_japanese(client, japanese_shop):
    japanese_shop.contact_phone = "011-555-0100"
    japanese_shop.save()
    now = timedelta(seconds=1)
    fresh = unshipped_order(japanese_shop, **draft(age=now, quantity=2))
    asked = unshipped_order(japanese_shop, **draft())
    request = file_request(asked)
    declined = unshipped_order(japanese_shop, **draft())
    file_request(declined)
    requests.decline(order_id=declined.pk, answer="梱包済みです。", by=BUYER)
    prime = unshipped_order(japanese_shop, **draft(is_prime=True))
    file_request(prime)
    pending = pending_order(japanese_shop, **draft())
    waiting = pending_order(
        japanese_shop,
        **draft(
            payment_method="convenience_store",
            payment_token="convenience-store-unpaid",
        ),
    )
    shipped = unshipped_order(japanese_shop, **draft(quantity=2))
    package = Package(shipped.marketplace.local_date(clock.now()), "Yamato", tracking_id="123")
    for _ in range(2):
        items = {shipped.items.get().pk: 1}
        wanted = shipments.Confirmation(shipped.pk, package, items)
        shipments.confirm_shipment(wanted=wanted, by=STAFF)
    shipped.refresh_from_db()
    refund(shipped, "16")
    ended = []
    for reason in CancelReason:
        order = unshipped_order(japanese_shop, **draft())
        cancel = cancellations.CancelRequest(order.pk, reason)
        cancellations.cancel_order(wanted=cancel, by=STAFF)
        ended.append(order)
    orders = [fresh, asked, declined, prime, pending, waiting, shipped, *ended]
    found = {}
    for order in orders:
        for act in ("", "change/", "cancel/", "payment/", "receipt/"):
            page = client.get(page_of(order, act))
            assert '<html lang="ja">' in page.content.decode()
            if left := english_in(page):
                found[order.status, act] = left
    with clock.stopped(request.answer_by_at):
        found |= {"overdue": english_in(client.get(page_of(asked, "cancel/")))}
    wrong = {f"quantity_{fresh.items.get().pk}": "0", "city": ""}
    found |= {"wrong": english_in(post(client, fresh, "change/", **wrong))}
    found |= {"no reason": english_in(post(client, declined, "cancel/"))}
    late = post(client, fresh, "change/")
    assert late.status_code == 422
    found |= {"nothing changed": english_in(late)}
    with clock.stopped(asked.purchased_at + timedelta(days=400)):
        found |= {"ended": english_in(client.get(page_of(asked)))}
    japanese = {"HTTP_ACCEPT_LANGUAGE": "ja,en;q=0.5"}
    found |= {"nowhere": english_in(client.get("/buyer/x/", **japanese))}
    with clock.stopped(clock.now()):
        for _ in range(121):
            answer = client.get("/buyer/x/", **japanese)
    assert answer.status_code == 429
    found |= {"too many": english_in(answer)}
    assert {where: left for where, left in found.items() if left} == {}


@pytest.mark.req("IMPL-27")
def test_merchants_pages_stay_as_they_are(client, kenji, japanese_shop):
    order = unshipped_order(japanese_shop)
    client.get(page_of(order))
    client.force_login(kenji)
    assert "Order details" in words(client.get(f"/orders/{order.number}/"))


def told_by(compiled: GNUTranslations) -> dict[object, str]:
    return {what: text for what, text in compiled._catalog.items() if what}  # type: ignore[attr-defined]


@pytest.mark.req("IMPL-27")
def test_the_compiled_catalogue_is_of_the_written_one():
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="ja")
    fresh = BytesIO()
    write_mo(fresh, catalogue)
    fresh.seek(0)
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        assert told_by(GNUTranslations(file)) == told_by(GNUTranslations(fresh))
    assert [m.id for m in catalogue if m.id and (not m.string or m.fuzzy)] == []
