"""The receipt: in the seller's name, once charged, on screen and as a file (BUYER-04)."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from pypdf import PdfReader

from checkout import documents
from core import clock
from core.bounded import Unfinished
from orders.domain import buyer_links
from tests.buyers import page_of
from tests.factories import (
    AMOUNTS,
    BY_STATUS,
    cancelled_order,
    order_in,
    refund,
    shipped_order,
    unshipped_order,
)
from tests.outsiders import everything
from tests.pages import words


def pdf_of(client, order) -> str:
    answer = client.get(page_of(order, "receipt.pdf"))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    pages = PdfReader(io.BytesIO(answer.content)).pages
    return " ".join("".join(page.extract_text() for page in pages).split())


@pytest.mark.req("BUYER-04", "IMPL-32", "MONEY-03")
def test_it_shows_seller_items_tax_payment_date_and_refunds(client, shop):
    shop.address_1, shop.city, shop.postal_code = "1 Quay Street", "Falmouth", "TR11 3LH"
    shop.save()
    order = shipped_order(shop, lines=2, quantity=2, amounts=AMOUNTS, title="Sea mug")
    refund(order, "16.00", memo="Chipped rim")
    tax = sum(i.item_tax + i.gift_wrap_tax + i.shipping_tax for i in order.items.all())
    paid = order.charged_at.astimezone(shop.marketplace.zone)
    page = client.get(page_of(order, "receipt/"))
    assert page.status_code == 200
    for told in (words(page), pdf_of(client, order)):
        for fact in (
            "Receipt", "Harbour & Hearth Ltd", "1 Quay Street", "Falmouth TR11 3LH", "Sea mug",
            order.number, order.buyer_name, f"{paid.day} {paid:%b} {paid.year}",
            f"£{order.total}", f"£{tax}", "−£16.00", f"£{order.total - 16}",
        ):  # fmt: skip
            assert fact in told, fact
        for private in ("Harbour Row", "PA75", "mail.example", "07700", "Chipped"):
            assert private not in told, private


@pytest.mark.req("BUYER-04", "BUYER-03")
@pytest.mark.parametrize("status", BY_STATUS)
def test_there_is_one_once_the_order_is_charged(client, shop, status):
    order = order_in(status, shop)
    charged = status in ("shipped", "partially_shipped")
    assert (">Receipt</a>" in client.get(page_of(order)).content.decode()) == charged
    before = everything()
    for act in ("receipt/", "receipt.pdf"):
        answer = client.get(page_of(order, act))
        assert answer.status_code == (200 if charged else 409)
        if not charged:
            assert "There is a receipt once your order is charged." in words(answer)
            assert "£" not in words(answer)
    assert everything() == before


@pytest.mark.req("BUYER-04")
def test_what_was_paid_in_advance_has_one_at_once(client, shop, japanese_shop):
    order = unshipped_order(japanese_shop, in_advance=True)
    assert client.get(page_of(order, "receipt/")).status_code == 200
    channel = shipped_order(shop)
    type(channel).objects.filter(pk=channel.pk).update(payment_state="external")
    assert client.get(page_of(channel, "receipt/")).status_code == 409


@pytest.mark.req("BUYER-04", "TH-12", "INV-16")
def test_the_seller_is_given_a_link_that_opens_the_receipt_alone(client, alice, shop):
    order, open_one = shipped_order(shop), unshipped_order(shop)
    link = buyer_links.receipt_link_for(order)
    token = buyer_links.receipt_token_for(order)
    client.force_login(alice)
    page = client.get(order.get_absolute_url())
    assert "You need not issue one." in words(page)
    assert link in page.content.decode()
    assert buyer_links.token_for(order) not in page.content.decode()
    for other in (open_one, cancelled_order(shop)):
        assert "asks for a receipt" not in words(client.get(other.get_absolute_url()))
    client.logout()
    assert link.endswith(f"/buyer/{token}/receipt/")
    page = client.get(f"/buyer/{token}/receipt/")
    assert page.status_code == 200
    assert f'href="/buyer/{token}/"' not in page.content.decode()  # nothing else to go to
    assert client.get(f"/buyer/{token}/receipt.pdf").status_code == 200
    before = everything()
    for act in ("", "change/", "cancel/", "payment/"):
        assert client.get(f"/buyer/{token}/{act}").status_code == 404, act
    for act in ("cancel/", "customer-service/", "payment/"):
        assert client.post(f"/buyer/{token}/{act}", {"act": "cancel"}).status_code == 404, act
    number, signature = token.split(":")
    for wrong in (token[:-1], f"{open_one.number}:{signature}", number):
        assert client.get(f"/buyer/{wrong}/receipt/").status_code == 404
    assert everything() == before


@pytest.mark.req("BUYER-04", "TH-12")
def test_the_link_ends_with_the_buyers_own(client, shop):
    order = shipped_order(shop)
    with clock.stopped(order.purchased_at + timedelta(days=400)):
        for token in (buyer_links.token_for(order), buyer_links.receipt_token_for(order)):
            assert client.get(f"/buyer/{token}/receipt/").status_code == 410


@pytest.mark.req("BUYER-04", "TH-32")
def test_files_are_counted_and_one_that_fails_says_so(client, shop, monkeypatch):
    order = shipped_order(shop)
    monkeypatch.setattr(documents, "render_pdf", lambda receipt: b"%PDF")
    with clock.stopped(clock.now()):
        codes = [client.get(page_of(order, "receipt.pdf")).status_code for _ in range(31)]
    assert codes == [200] * 30 + [429]

    def endless(receipt):
        raise Unfinished("time")

    monkeypatch.setattr(documents, "render_pdf", endless)
    other = shipped_order(shop)
    answer = client.get(page_of(other, "receipt.pdf"))
    assert answer.status_code == 503
    assert "The file could not be made." in words(answer)
