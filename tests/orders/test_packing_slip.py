"""Shipping Label/Packing List, on screen and as PDF."""

from __future__ import annotations

import io
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from core import clock, pdf
from core.days import day_words
from orders import documents
from orders.domain.drafts import ContactDraft
from orders.views import slips
from tests.factories import (
    AMOUNTS,
    CONTACT,
    PLAIN,
    ItemDraft,
    ListingFactory,
    order_in,
    tell_buyers,
    unshipped_order,
)
from tests.pages import words
from tests.pictures import png

SELECTED = "packing-slips.pdf?order={}"


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def pdf_of(answer) -> PdfReader:
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    return PdfReader(io.BytesIO(answer.content))


def text_of(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


@pytest.mark.req("SLIP-01", "SLIP-02", "SLIP-03", "SLIP-04", "SLIP-05", "SLIP-07")
def test_one_page_carries_label_cut_line_and_list(signed_in, shop):
    shop.address_1 = "Unit 6, Slipway Yard"
    tell_buyers(shop, returns="30 days")
    shop.customer_service_email, shop.contact_phone = "help@harbour.example", "0131 496 0001"
    shop.save()
    order = unshipped_order(shop, lines=3, is_business=True, purchase_order_number="PO-77")

    page = signed_in.get(f"/orders/{order.number}/packing-slip/")
    html = page.content.decode()
    label = html.split('class="label"')[1].split("</section>")[0]
    slip = html.split('class="slip"')[1]

    assert "<h1>Shipping Label/Packing List</h1>" in html
    assert 'class="cut__line"' in html
    for line in ("Eilidh Receiver MacLeod", "Flat 2, 14 Harbour Row", "Tobermory", "Isle of Mull",
                 "PA75 6NU", "United Kingdom"):  # fmt: skip
        assert line in label
    assert "£" not in label
    for item in order.items.all():
        for fact in (item.title, item.sku, item.number, item.listing.listing_id):
            assert fact in slip
    text = words(page).split("Packing slip Ship to")[1]
    bought = day_words(order.purchased_at.astimezone(shop.marketplace.zone).date(), "GB")
    for fact in (f"Order ID {order.number} Purchase date {bought} Buyer Eilidh MacLeod",
                 "Business Buyer Shipping service Standard", "Eilidh Receiver MacLeod",
                 "Item price £10.00 Shipping £2.00 £12.00", "help@harbour.example",
                 "0131 496 0001", "3 products, 3 units"):  # fmt: skip
        assert fact in text, fact
    for fact in (order.number, "Harbour &amp; Hearth Ltd", "Unit 6, Slipway Yard", "30 days",
                 "Buyer PO#: PO-77", "Order total", "£36.00"):  # fmt: skip
        assert fact in html
    assert "data-print" in html


@pytest.mark.req("SLIP-04", "SETTINGS-13")
def test_the_page_shows_the_logo_and_leads_to_the_returns_policy(signed_in, shop, settings):
    settings.SITE_URL = "https://desk.example"
    tell_buyers(shop, logo=png(), returns="Within <b>30 days</b>. " + "More. " * 100)
    html = signed_in.get(f"/orders/{unshipped_order(shop).number}/packing-slip/").content.decode()
    label, slip = html.split('<section class="slip"')
    found = re.search(
        r'<td class="slip__logo"><img src="([^"]+)" alt="Logo of Harbour &amp; Hearth">', slip
    )
    assert found
    assert "<img" not in label
    assert signed_in.get(found[1])["Content-Type"] == "image/png"
    address = "https://desk.example/sellers/harbour-hearth/"
    assert f'<a href="{address}#returns">{address}</a>' in slip
    assert "Within 30 days. More. More." in slip
    assert "More.…" in slip
    assert 'id="returns"' in signed_in.get(f"{address}#returns").content.decode()


@pytest.mark.req("SLIP-04", "SETTINGS-13", "INV-20", "TH-42")
@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize("logo", [None, png(300, 100)])
def test_the_pdf_carries_the_logo_and_the_link_without_asking_an_address(
    signed_in, shop, settings, paper, logo
):
    settings.SITE_URL = "http://127.0.0.1:1"  # nobody answers there
    tell_buyers(shop, logo=logo, returns="Within 30 days.")
    order = unshipped_order(shop, lines=2)
    reader = pdf_of(signed_in.get(f"/orders/{order.number}/packing-slip.pdf?paper={paper}"))
    [page] = reader.pages
    assert [image.image.size for image in page.images] == ([(300, 100)] if logo else [])
    links = {note.get_object()["/A"]["/URI"] for note in page["/Annots"]}
    assert links == {"http://127.0.0.1:1/sellers/harbour-hearth/#returns"}
    text = text_of(reader).replace("\n", "")
    assert "Within 30 days." in text
    assert "http://127.0.0.1:1/sellers/harbour-hearth/" in text


@pytest.mark.req("SLIP-04", "SLIP-09")
def test_every_slip_of_a_file_has_the_logo(signed_in, shop):
    tell_buyers(shop, logo=png(300, 100))
    query = "&".join(f"order={unshipped_order(shop).number}" for _ in range(2))
    pages = pdf_of(signed_in.get(f"/orders/packing-slips.pdf?{query}")).pages
    assert [len(page.images) for page in pages] == [1, 1]


@pytest.mark.req("SLIP-04")
def test_logo_and_policy_cost_one_query_each_for_any_number_of_slips(
    signed_in, shop, django_assert_num_queries
):
    orders = [unshipped_order(shop) for _ in range(3)]
    told = documents.seller(shop)
    assert told.picture_name == ""
    with django_assert_num_queries(2):
        assert documents.seller(shop) == told
    signed_in.get(f"/orders/packing-slips.pdf?order={orders[0].number}")  # prints are remembered
    with CaptureQueriesContext(connection) as one:
        signed_in.get(f"/orders/packing-slips.pdf?order={orders[0].number}")
    with CaptureQueriesContext(connection) as three:
        signed_in.get("/orders/packing-slips.pdf", {"order": [order.number for order in orders]})
    assert len(one) == len(three)


@pytest.mark.req("INV-20", "TH-42")
@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/x.png", "file:///etc/passwd", "data:image/png;base64,AA==",
                "picture:other", "PICTURE:LOGO", "ftp://127.0.0.1/x", "/sellers/x/logo/y.png"],
)  # fmt: skip
def test_the_renderer_hands_out_pictures_by_their_names_alone(address):
    fetcher = pdf._only({"picture:logo": b"bytes"})
    assert fetcher("picture:logo").read() == b"bytes"
    with pytest.raises(ValueError, match="loads nothing"):
        fetcher(address)


@pytest.mark.req("SLIP-06")
@pytest.mark.parametrize(("paper", "size"), [("a4", (595, 842)), ("letter", (612, 792))])
def test_the_pdf_has_selectable_text_and_the_paper_asked_for(signed_in, shop, paper, size):
    order = unshipped_order(shop, lines=2)
    answer = signed_in.get(f"/orders/{order.number}/packing-slip.pdf?paper={paper}")
    reader = pdf_of(answer)
    text = text_of(reader)
    assert (
        answer["Content-Disposition"] == f'attachment; filename="packing-slip-{order.number}.pdf"'
    )
    assert order.number in text
    for item in order.items.all():
        assert item.sku in text
    box = reader.pages[0].mediabox
    assert (round(box.width), round(box.height)) == size
    assert len(reader.pages) == 1


@pytest.mark.req("SLIP-02", "SLIP-10")
@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_an_order_of_three_products_takes_one_sheet(signed_in, shop, paper):
    shop.address_1 = "Unit 6, Slipway Yard"
    shop.customer_service_email, shop.contact_phone = "help@harbour.example", "0131 496 0001"
    shop.save()
    tell_buyers(shop, returns="Send items back within 30 days for a refund.", logo=png(600, 200))
    taxed = {**PLAIN, "item_tax": Decimal("2.00"), "shipping_tax": Decimal("0.40")}
    priced = [ItemDraft(ListingFactory(merchant=shop).sku, 2, taxed) for _ in range(3)]
    order = unshipped_order(shop, lines=priced)
    answer = signed_in.get(f"/orders/{order.number}/packing-slip.pdf?paper={paper}")
    assert len(pdf_of(answer).pages) == 1


@pytest.mark.req("SLIP-06")
@pytest.mark.parametrize(
    ("place", "own", "size"),
    [("a4", "", (595, 842)), ("letter", "", (612, 792)), ("letter", "a4", (595, 842))],
)
def test_the_paper_is_the_marketplaces_or_ones_own(signed_in, alice, shop, place, own, size):
    type(shop.marketplace).objects.filter(pk=shop.marketplace_id).update(paper_size=place)
    alice.memberships.update(paper_size=own)
    order = unshipped_order(shop)
    box = pdf_of(signed_in.get(f"/orders/{order.number}/packing-slip.pdf")).pages[0].mediabox
    assert (round(box.width), round(box.height)) == size


@pytest.mark.req("SLIP-08", "PENDING-05", "F01", "F02")
@pytest.mark.parametrize(
    ("status", "sentence"),
    [("pending", "is not verified yet. Do not ship."), ("cancelled", "is cancelled. Do not ship.")],
)
@pytest.mark.parametrize("form", ["{}/packing-slip/", "{}/packing-slip.pdf", SELECTED])
def test_refused_for_pending_and_cancelled_orders(signed_in, shop, status, sentence, form):
    order = order_in(status, shop)
    answer = signed_in.get("/orders/" + form.format(order.number))
    assert answer.status_code == 409
    assert f"order {order.number} {sentence}" in words(answer).replace("Order", "order")
    assert "Harbour Row" not in answer.content.decode()
    assert not order.history.filter(event="order.slip_printed").exists()


@pytest.mark.req("SLIP-09")
def test_selected_orders_become_one_pdf_and_refused_ones_are_named(signed_in, shop):
    first, second = unshipped_order(shop), unshipped_order(shop)
    gone = order_in("cancelled", shop)
    query = "&".join(f"order={o.number}" for o in (first, gone, second))

    told = signed_in.get(f"/orders/packing-slips.pdf?{query}")

    assert f"Order {gone.number} is cancelled" in words(told)
    assert "1 order is left out" in words(told)
    reader = pdf_of(signed_in.get(f"/orders/packing-slips.pdf?{query}&anyway=1"))
    text = text_of(reader)
    assert len(reader.pages) == 2
    assert text.count("Page 1 of 1") == 2
    assert gone.number not in text
    assert text.index(first.number) < text.index(second.number)


@pytest.mark.req("SLIP-09", "IMPL-03")
def test_a_foreign_order_among_the_selected_does_not_exist(signed_in, shop, charlie):
    mine = unshipped_order(shop)
    foreign = unshipped_order(charlie.memberships.get().merchant)
    told = signed_in.get(f"/orders/packing-slips.pdf?order={foreign.number}&order={mine.number}")
    assert f"There is no order {foreign.number}." in words(told)
    only = signed_in.get(f"/orders/packing-slips.pdf?order={foreign.number}")
    assert only.status_code == 409


@pytest.mark.req("SLIP-09", "IMPL-25")
def test_nothing_selected_and_too_many_get_a_sentence(signed_in, shop):
    for query in ("", "?" + "&".join(f"order=203-0000000-{n:07d}" for n in range(26))):
        answer = signed_in.get(f"/orders/packing-slips.pdf{query}")
        assert answer.status_code == 302
    assert "Print up to 25 orders at once; 26 were selected." in words(signed_in.get("/orders/"))


@pytest.mark.req("SLIP-10", "IMPL-27")
def test_long_orders_and_japanese_text_print_whole(signed_in, shop):
    listing = ListingFactory(
        merchant=shop, title="湯呑み 青磁 Ångström café", quantity_available=5000
    )
    contact = ContactDraft(
        buyer_email="a@b.example", recipient_name="山田 花子", address_1="千代田1-1",
        city="千代田区", region="東京都", postal_code="100-0001", country="JP",
    )  # fmt: skip
    lines = [ItemDraft(listing.sku, n + 1, PLAIN) for n in range(60)]
    order = unshipped_order(shop, lines=lines, contact=contact)

    reader = pdf_of(signed_in.get(f"/orders/{order.number}/packing-slip.pdf"))
    text = text_of(reader)

    assert len(reader.pages) > 1
    assert f"Page 1 of {len(reader.pages)}" in text
    assert text.count("Product details") == len(reader.pages)
    for number in order.items.values_list("number", flat=True):
        assert number in text
    for words_ in ("山田", "東京都千代田区", "湯呑み", "Ångström café"):
        assert words_ in text
    assert all(f["/BaseFont"] for page in reader.pages for f in _fonts(page))
    assert all(_embedded(f) for page in reader.pages for f in _fonts(page))


def _fonts(page):
    return [font.get_object() for font in page["/Resources"]["/Font"].values()]


def _embedded(font) -> bool:
    inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
    described = inner["/FontDescriptor"].get_object()
    return any(name in described for name in ("/FontFile", "/FontFile2", "/FontFile3"))


@pytest.mark.req("INV-20", "TH-42", "BI-OUTP")
@pytest.mark.parametrize(
    "hostile",
    [
        '<link rel=attachment href="file:///etc/passwd">',
        '<img src="http://127.0.0.1:1/decoy">',
        '"><style>@import url(file:///etc/passwd)</style>',
        "<svg/onload=alert(1)>",
        "W" * 100,
        "e\u0301" * 50,
    ],
)
def test_markup_in_names_and_titles_is_printed_as_text(signed_in, shop, hostile):
    listing = ListingFactory(merchant=shop, title=hostile[:200])
    contact = ContactDraft(**{**_as_dict(CONTACT), "recipient_name": hostile[:100]})
    order = unshipped_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)], contact=contact)
    reader = pdf_of(signed_in.get(f"/orders/{order.number}/packing-slip.pdf"))
    assert not reader.attachments
    assert "root:" not in text_of(reader)
    assert hostile[:8].strip() in text_of(reader).replace("\n", "")


def _as_dict(contact):
    return {name: getattr(contact, name) for name in contact.__slots__}


@pytest.mark.req("SLIP-04", "SLIP-10")
def test_words_without_a_space_leave_room_for_the_amounts(signed_in, shop):
    listing = ListingFactory(merchant=shop, title="Donaudampfschifffahrt" * 9)
    order = unshipped_order(
        shop, lines=[ItemDraft(listing.sku, 2, AMOUNTS)], buyer_name="Wolfeschlegelstein" * 5
    )
    page = pdf_of(signed_in.get(f"/orders/{order.number}/packing-slip.pdf")).pages[0]
    starts: dict[str, float] = {}

    def note(text: str, cm: list[float], tm: list[float], *_font: object) -> None:
        starts[text.strip()] = cm[0] * tm[4] + cm[4]

    page.extract_text(visitor_text=note)
    assert starts["£125.60"] < float(page.mediabox.width) - 72  # points: before the margin


@pytest.mark.req("SLIP-11", "IMPL-04")
def test_printing_is_remembered_and_shown(signed_in, shop):
    order = unshipped_order(shop)
    path = f"/orders/{order.number}/packing-slip/"
    assert "already printed" not in words(signed_in.get(path))
    signed_in.get(f"/orders/{order.number}/packing-slip.pdf")
    assert "already printed on" in words(signed_in.get(path))
    assert order.history.filter(event="order.slip_printed", actor="Alice Owner").count() == 1


@pytest.mark.req("SETTINGS-14")
def test_a_gift_shows_no_prices(signed_in, shop):
    contact = ContactDraft(**{**_as_dict(CONTACT), "gift_message": "Happy new home"})
    order = unshipped_order(shop, is_gift=True, contact=contact)
    html = signed_in.get(f"/orders/{order.number}/packing-slip/").content.decode()
    assert "£" not in html
    assert "Happy new home" in html


@pytest.mark.req("PERMISSION-03", "IMPL-03")
def test_a_stranger_gets_404_and_one_without_the_right_403(client, shop, charlie):
    from accounts.permissions import Preset
    from tests.factories import MembershipFactory

    order = unshipped_order(shop)
    finance = MembershipFactory(merchant=shop, preset=Preset.FINANCE).user
    for user, code in ((charlie, 404), (finance, 403)):
        client.force_login(user)
        for form in ("packing-slip/", "packing-slip.pdf"):
            assert client.get(f"/orders/{order.number}/{form}").status_code == code


@pytest.mark.req("SLIP-06", "FT-37", "IMPL-26")
def test_a_sheet_that_cannot_be_made_in_time_is_said_calmly(client, alice, order, monkeypatch):
    client.force_login(alice)
    monkeypatch.setattr(documents._renderer, "_seconds", 0.0)
    answer = client.get(f"/orders/{order.number}/packing-slip.pdf")
    assert answer.status_code == 503
    assert "The PDF could not be made. Try again" in words(answer)
    assert not order.history.filter(event="order.slip_printed").exists()


@pytest.mark.req("SD-10")
def test_one_person_makes_so_many_files_a_minute(signed_in, shop, monkeypatch):
    monkeypatch.setattr(slips, "FILES_A_MINUTE", 1)
    order = unshipped_order(shop)
    address = f"/orders/{order.number}/packing-slip.pdf"
    with clock.stopped(clock.now()):
        answers = [signed_in.get(address) for _again in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert "At most 1 files a minute" in words(answers[-1])


@pytest.mark.req("IMPL-26")
@pytest.mark.parametrize("place", ["", "cancel/", "confirm-shipment/", "packing-slip/", "dates/"])
def test_pages_say_what_they_would_answer(signed_in, shop, place):
    order = unshipped_order(shop)
    for address in ("/orders/", f"/orders/{order.number}/{place}"):
        answer = signed_in.head(address)
        assert (answer.status_code, answer.content) == (200, b""), address


@pytest.mark.req("IMPL-36", "SLIP-09")
@pytest.mark.parametrize("count", [0, 26])
def test_what_cannot_be_printed_leads_back_to_the_same_list(signed_in, shop, count):
    asked = "&".join(f"order=203-0000000-{number:07}" for number in range(count))
    left = "/orders/?status=shipped&range=90d&after=x"
    headers = {"Referer": f"http://testserver{left}"}
    answer = signed_in.get(f"/orders/packing-slips.pdf?{asked}", headers=headers)
    assert (answer.status_code, answer["Location"]) == (302, left)
    elsewhere = {"Referer": "https://evil.example/orders/?x=1"}
    answer = signed_in.get(f"/orders/packing-slips.pdf?{asked}", headers=elsewhere)
    assert answer["Location"] == "/orders/"
