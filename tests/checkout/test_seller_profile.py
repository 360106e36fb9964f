"""Seller profile: what anybody may read about a merchant (BUYER-06)."""

from __future__ import annotations

import pytest

from tests.buyers import page_of
from tests.checkout.test_japanese import english_in
from tests.factories import BY_STATUS, order_in, tell_buyers
from tests.pages import words
from tests.pictures import png

PAGE = "/sellers/harbour-hearth/"


@pytest.mark.req("BUYER-06", "SETTINGS-01", "SETTINGS-13")
def test_name_logo_policies_and_telephone_are_shown_to_anybody(client, shop):
    shop.contact_phone, shop.customer_service_hours = "01632 960417", "Mon to Fri"
    shop.save()
    tell_buyers(shop, logo=png(), returns="Within 30 days.", faq="<h3>Dishwasher?</h3>\n\nYes.")
    page = client.get(PAGE)
    assert page.status_code == 200
    html = page.content.decode()
    assert '<h1 class="order-head__title" id="seller-title">Seller profile</h1>' in html
    assert 'alt="Logo of Harbour &amp; Hearth"' in html
    assert '<section class="card" id="returns"' in html
    assert "<h3>Dishwasher?</h3><p>Yes.</p>" in html
    shown = words(page)
    for fact in ("Seller profile Harbour & Hearth Phone 01632 960417",
                 "Customer service hours Mon to Fri", "Returns and refunds Within 30 days.",
                 "FAQ Dishwasher? Yes."):  # fmt: skip
        assert fact in shown
    assert "Gift services" not in shown  # nothing was written about them


@pytest.mark.req("BUYER-06")
def test_a_shop_that_wrote_nothing_has_a_profile_where_the_slip_leads(client, shop):
    page = client.get(PAGE)
    assert "Returns and refunds Ask the seller before you send anything back." in words(page)
    assert "<img" not in page.content.decode()
    assert "<script" not in page.content.decode()


@pytest.mark.req("BUYER-06")
def test_there_is_no_profile_of_nobody(client, shop):
    assert client.get("/sellers/nobody/").status_code == 404
    assert client.get(f"{PAGE}logo/abc.png").status_code == 404
    assert client.post(PAGE).status_code == 405


@pytest.mark.req("BUYER-06")
def test_a_profile_tells_nothing_that_is_not_for_buyers(client, shop):
    shop.claim_email, shop.notification_emails = "claims@x.example", ["orders@x.example"]
    shop.save()
    assert "x.example" not in client.get(PAGE).content.decode()


@pytest.mark.req("BUYER-06", "IMPL-27")
def test_a_japanese_profile_speaks_japanese(client, japanese_shop):
    japanese_shop.contact_phone = "011-555-0100"
    japanese_shop.customer_service_hours = "平日 9:00–17:00"
    japanese_shop.save()
    policies = dict.fromkeys(("about", "shipping", "gift_services", "privacy", "faq"), "はい。")
    tell_buyers(japanese_shop, logo=png(), **policies)
    page = client.get("/sellers/kita/")
    assert '<html lang="ja">' in page.content.decode()
    assert english_in(page) == []
    assert "のロゴ" in page.content.decode()


@pytest.mark.req("BUYER-03", "BUYER-06")
@pytest.mark.parametrize("status", BY_STATUS)
def test_a_buyers_page_leads_to_the_profile_in_every_state(client, shop, status):
    html = client.get(page_of(order_in(status, shop))).content.decode()
    assert f'<a href="{PAGE}">Seller profile</a>' in html


@pytest.mark.req("BUYER-06")
def test_the_profile_costs_three_queries(client, shop, django_assert_num_queries):
    tell_buyers(shop, logo=png(), faq="Yes")
    with django_assert_num_queries(3):  # merchant, profile, logo
        client.get(PAGE)
