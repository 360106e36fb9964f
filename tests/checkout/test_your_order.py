"""Your order: who gets there, and what it shows."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.conf import settings
from pypdf import PdfReader

from accounts.domain import calendar
from audit.models import Entry
from core import clock
from orders.domain import buyer_links, revisions
from orders.models import Order
from tests.buyers import file_request, page_of, window_ends
from tests.factories import (
    AMOUNTS,
    BY_STATUS,
    STAFF,
    MerchantFactory,
    cancelled_order,
    confirm,
    order_in,
    pending_order,
    refund,
    shipped_order,
    unshipped_order,
)
from tests.outsiders import everything, stocked, word_of
from tests.pages import body, words

OLDER_KEY = "the key before this one, fifty characters long or more"


@pytest.mark.req("BUYER-01")
def test_the_page_shows_what_was_bought_and_where_it_stands(client, shop):
    shop.contact_phone = "01632 960417"
    shop.save()
    order = unshipped_order(shop, lines=2, quantity=2, amounts=AMOUNTS, title="Sea mug")

    page = client.get(page_of(order))

    told = words(page)
    assert page.status_code == 200
    assert f"Your order {order.number}" in told
    assert "Your order is being prepared" in told
    assert "You are charged when the first parcel leaves." in told
    assert told.count("Sea mug Quantity 2 Total £125.60") == 2
    for amount in ("£125.60", "£200.00", "£40.00", "−£20.00", "£251.20"):
        assert amount in told
    assert "Harbour & Hearth" in told
    assert "01632 960417" in told


@pytest.mark.req("BUYER-01", "BUYER-02", "REFUND-21", "CANCEL-04", "SHIP-12")
def test_what_happens_shows_at_once(client, shop):
    order = unshipped_order(shop, quantity=3, amounts=AMOUNTS)
    assert "Unshipped" in words(client.get(page_of(order)))

    confirm(order, 1)
    page = client.get(page_of(order))
    assert "Part of your order is on its way" in words(page)
    link = 'href="https://www.royalmail.com/track-your-item#/tracking-results/QT1GB"'
    assert link + ' rel="noreferrer"' in page.content.decode()
    confirm(order)
    assert "Your order is on its way" in words(client.get(page_of(order)))
    refund(order, "16.00", memo="Chipped <b>rim</b>")
    told = words(client.get(page_of(order)))
    assert "Partly refunded" in told
    assert "Refunded so far −£16.00" in told
    assert "Chipped <b>rim</b>" in told

    other = cancelled_order(shop)
    told = words(client.get(page_of(other)))
    assert "The seller cancelled it: Pricing error. You are not charged." in told


@pytest.mark.req("BUYER-01", "TH-12")
def test_a_refund_that_failed_is_not_shown_as_money_given_back(client, shop):
    order = shipped_order(shop, payment_token="refund-fails")
    refund(order, "1.00")
    assert "Refunds" not in words(client.get(page_of(order)))


@pytest.mark.req("BUYER-01", "TH-12")
def test_an_altered_link_leads_nowhere(client, order):
    good = page_of(order).split("/")[2]
    number, signature = good.split(":")
    other = unshipped_order(order.merchant)
    altered = [
        good[:-1],
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        f"{other.number}:{signature}",
        f"{number}:{signature.swapcase()}",
        number,
        f"{number}:",
        f":{signature}",
        f"{number}:{signature}:{signature}",
        "x",
        "é" * 40,
        "a" * 3000,
    ]
    before = everything()
    for token in altered:
        for act in ("", "change/", "cancel/", "payment/", "receipt/", "receipt.pdf"):
            for answer in (client.get(f"/buyer/{token}/{act}"),):
                assert answer.status_code == 404, (token, act)
                assert "This link leads nowhere" in words(answer)
                assert order.number not in words(answer)
    assert everything() == before
    assert client.get(f"/buyer/{good}/").status_code == 200


@pytest.mark.req("TH-12")
def test_a_link_is_of_one_order_and_of_this_use_alone(order):
    from django.core.signing import Signer

    assert buyer_links.read(buyer_links.token_for(order)) == order.number
    assert buyer_links.read(Signer().sign(order.number)) is None
    assert buyer_links.link_for(order) == f"{settings.SITE_URL}{page_of(order)}"


@pytest.mark.req("TH-12")
def test_links_outlive_a_change_of_the_key(client, order, settings):
    now = settings.SECRET_KEY
    settings.SECRET_KEY = OLDER_KEY
    old = page_of(order)
    settings.SECRET_KEY = now
    assert client.get(old).status_code == 404
    settings.SECRET_KEY_FALLBACKS = [OLDER_KEY]
    assert client.get(old).status_code == 200
    assert page_of(order) != old


@pytest.mark.req("TH-12", "BUYER-01")
def test_a_link_ends_half_a_year_after_the_latest_day_of_delivery(client, order):
    last = calendar.end_of_day(order.deliver_to_date, order.marketplace) + timedelta(days=180)
    with clock.stopped(last - timedelta(seconds=1)):
        assert client.get(page_of(order)).status_code == 200
    for act in ("", "change/", "cancel/", "payment/", "receipt/", "receipt.pdf"):
        with clock.stopped(last):
            answer = client.get(page_of(order, act))
        assert answer.status_code == 410
        assert "This link has ended" in words(answer)
        assert order.number not in words(answer)
    before = everything()
    with clock.stopped(last):
        assert client.post(page_of(order, "cancel/"), {"act": "cancel"}).status_code == 410
    assert everything() == before


@pytest.mark.req("DETAIL-15", "BUYER-01", "TH-12")
def test_dates_told_later_are_those_of_the_page_and_of_its_end(client, order):
    day = order.marketplace.local_date(clock.now())
    first, last = day + timedelta(days=40), day + timedelta(days=44)
    told = revisions.Dates(day + timedelta(days=30), first, last)
    revisions.revise_dates(order_id=order.pk, wanted=told, by=STAFF)
    estimate = f"Estimated delivery {first.day} {first:%b} to {last.day} {last:%b} {last.year}"
    assert estimate in words(client.get(page_of(order)))
    ends = calendar.end_of_day(last, order.marketplace) + timedelta(days=180)
    for moment, status in ((ends - timedelta(seconds=1), 200), (ends, 410)):
        with clock.stopped(moment):
            assert client.get(page_of(order)).status_code == status


@pytest.mark.req("TH-12", "TH-10", "BUYER-01")
@pytest.mark.parametrize("which", ["order", "altered", "change", "refused"])
def test_no_answer_is_kept_indexed_or_named_elsewhere(client, shop, which):
    order = unshipped_order(shop, age=timedelta(0))
    where = {
        "order": page_of(order),
        "altered": page_of(order)[:-3] + "/",
        "change": page_of(order, "change/"),
        "refused": page_of(shipped_order(shop), "cancel/"),
    }[which]
    answer = client.get(where)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in answer["Cache-Control"]
    html = answer.content.decode()
    assert '<meta name="robots" content="noindex, nofollow">' in html
    assert "<script" not in html


def told_by(answer):
    """Return the text of a page or of a file."""
    if answer["Content-Type"] != "application/pdf":
        return answer.content.decode()
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)


@pytest.mark.req("BUYER-01", "INV-17", "INV-16")
@pytest.mark.parametrize("status", BY_STATUS)
def test_the_page_of_one_order_shows_nothing_of_another(client, shop, status):
    """Every word of a shop can be found again; of the same buyer's other orders, too."""
    ours = stocked(shop)
    theirs = stocked(MerchantFactory())
    order = ours.orders[status]
    own = {word_of(status), order.number, *(s for s in ours.secrets if s.startswith("07700"))}
    foreign = [s for s in ours.secrets if s not in own]
    foreign += [o.number for o in theirs.orders.values()]
    for act in ("", "change/", "cancel/", "payment/", "receipt/", "receipt.pdf"):
        answer = client.get(page_of(order, act))
        text = told_by(answer)
        assert [word for word in foreign if word in text] == [], act


@pytest.mark.req("BUYER-01", "INV-17", "DETAIL-14", "PENDING-11")
@pytest.mark.parametrize("status", BY_STATUS)
def test_the_page_keeps_the_address_and_what_staff_wrote_to_itself(client, shop, status):
    """A link may be passed on: the page says what was bought, not where its buyer lives."""
    order = stocked(shop).orders[status]
    html = client.get(page_of(order)).content.decode()
    word = word_of(status)
    for hidden in (f"1 {word} Row", f"{word}@mail.example", f"Note {word}", f"R {word}", "07700"):
        assert hidden not in html


@pytest.mark.req("BUYER-03", "BUYERCANCEL-07")
@pytest.mark.parametrize(
    ("status", "minutes", "offered"),
    [
        ("pending", 1, {"change", "cancel"}),
        ("pending", 60, {"cancel"}),
        ("unshipped", 1, {"change", "cancel"}),
        ("unshipped", 60, {"request"}),
        ("partially_shipped", 1, set()),
        ("shipped", 1, set()),
        ("cancelled", 1, set()),
    ],
)
def test_the_page_offers_what_is_possible(client, shop, status, minutes, offered):
    order = order_in(status, shop, age=timedelta(minutes=minutes))

    html = client.get(page_of(order)).content.decode()

    labels = {
        "change": "Change order</a>",
        "cancel": "Cancel order</a>",
        "request": "Request cancellation</a>",
    }
    assert {act for act, label in labels.items() if label in html} == offered
    assert ("you want to return it" in html) == (status in ("partially_shipped", "shipped"))


@pytest.mark.req("BUYERCANCEL-06", "BUYER-03")
@pytest.mark.parametrize(
    ("changes", "phone"),
    [({}, True), ({"is_prime": True}, False), ({"fulfilment_channel": "platform"}, False)],
)
def test_who_is_served_by_the_platform_turns_to_it(client, shop, changes, phone):
    shop.contact_phone = "01632 960417"
    shop.save()
    told = words(client.get(page_of(unshipped_order(shop, **changes))))
    assert ("01632 960417" in told) == phone
    assert ("turn to customer service" in told) != phone


@pytest.mark.req("BUYER-01")
def test_looking_changes_nothing_and_tells_the_merchant_nothing(client, order):
    before = everything()
    client.get(page_of(order))
    client.head(page_of(order))
    assert everything() == before
    assert not Entry.objects.filter(order=order, door="buyer").exists()


@pytest.mark.req("TH-32", "TH-12")
def test_guessing_links_is_slowed_down(client, order):
    with clock.stopped(order.purchased_at + timedelta(hours=2)):
        codes = {client.get("/buyer/x:y/").status_code for _ in range(120)}
        answer = client.get(page_of(order))
        elsewhere = client.get(page_of(order), REMOTE_ADDR="198.51.100.7")
    assert codes == {404}
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "Please wait a moment" in words(answer)
    assert elsewhere.status_code == 200


@pytest.mark.req("BUYER-01", "CANCEL-13")
def test_the_buyer_of_a_sandbox_shop_lives_by_its_clock(client, db):
    shop = MerchantFactory(is_sandbox=True, clock_ahead=timedelta(days=400))
    with clock.stopped(clock.now()):
        order = unshipped_order(shop, purchased_at=clock.now() + timedelta(days=400))
        assert client.get(page_of(order)).status_code == 200
        assert "Change order" in words(client.get(page_of(order)))


@pytest.mark.req("BUYER-01")
@pytest.mark.parametrize("status", [*BY_STATUS, "asked"])
def test_the_page_costs_the_same_whatever_it_shows(client, shop, status, django_assert_num_queries):
    for lines in (1, 3):
        if status == "asked":
            order = unshipped_order(shop, lines=lines)
            file_request(order)
        else:
            order = order_in(status, shop, lines=lines)
        shipped = status in ("shipped", "partially_shipped")
        asked = status != "asked"
        # clock twice, order, request, items, shipments, refunds; lines; an earlier request
        with django_assert_num_queries(7 + shipped + asked):
            client.get(page_of(order))


@pytest.mark.req("BUYER-01")
def test_the_signed_in_merchants_frame_stays_out_of_it(client, alice, order):
    """The same browser may be a merchant's: the buyer's page has no navigation all the same."""
    client.force_login(alice)
    html = client.get(page_of(order)).content.decode()
    assert "Manage Orders" not in html
    assert "Alice Owner" not in html


@pytest.mark.req("BUYER-01", "BI-URL")
@pytest.mark.parametrize("method", ["put", "patch", "delete", "post"])
def test_other_methods_are_not_known(client, order, method):
    before = everything()
    assert getattr(client, method)(page_of(order)).status_code == 405
    assert everything() == before


@pytest.mark.req("BUYERCANCEL-05", "BUYERCANCEL-03")
def test_the_page_says_what_became_of_a_request(client, shop):
    order = unshipped_order(shop)
    request = file_request(order)
    assert "The seller answers by" in words(client.get(page_of(order)))
    with clock.stopped(request.answer_by_at):
        told = words(client.get(page_of(order)))
    assert "The seller has not answered in time. Pass it to customer service" in told
    assert request.answer_by_at > window_ends(order)
    assert body(client.get(page_of(pending_order(shop)))).count("cancellation") == 0
    assert Order.objects.get(pk=order.pk).status == "unshipped"
