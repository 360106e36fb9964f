"""What each kind of letter says, in both languages, and what none of them may say (section 8.1)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.core import mail
from django.core.checks import run_checks

from audit.domain import history
from catalog.models import Listing
from core import clock
from core.actor import Actor
from notifications.domain import letters, outbox
from notifications.models import LetterCopy, Outbox
from orders import checks
from orders.domain import buyer_links, cancellations, notes, revisions, shipments, verification
from orders.domain.drafts import ItemDraft
from orders.domain.packages import Package
from orders.effects import MESSAGES
from orders.enums import (
    COMPONENTS,
    CancelCause,
    CancelReason,
    RefundReason,
    ServiceLevel,
    SystemRefundReason,
)
from orders.letters import words
from orders.letters.dossiers import Dossier
from orders.letters.kinds import KINDS, LABELS
from orders.models import Order
from payments.gateways import Verification, VerificationOutcome
from payments.models import Payment
from tests.factories import (
    AMOUNTS,
    GATEWAY,
    PLAIN,
    STAFF,
    ContactDraft,
    ListingFactory,
    pending_order,
    refund,
    unshipped_order,
)

AT = datetime(2026, 12, 7, 10, 30, tzinfo=UTC)  # a Monday
SECRETS = {
    "buyer_email": "canary-email@mail.example",
    "buyer_phone": "07700 900999",
    "recipient_name": "Canary Recipient",
    "address_1": "1 Canary Row",
    "address_2": "Canary Flat",
    "address_3": "Canary Yard",
    "city": "Canaryton",
    "region": "Canaryshire",
    "postal_code": "CA1 9RY",
}
CONTACT = ContactDraft(country="GB", gift_message="canary gift", **SECRETS)
CARD, NOTE = "tok_canary_4242424242424242", "canary internal note"
ADDRESS = [v for name, v in SECRETS.items() if name not in ("buyer_email", "buyer_phone")]
MEMO = "Sorry <b>about</b> that & the {{ mug }}.\n\n\nhttps://shop.example/x  \nÉ 日本 🍵"
BUYER, OPERATOR = Actor("buyer", "the buyer"), Actor("operator", "Olive Operator")


@pytest.fixture(autouse=True)
def _at():
    with clock.stopped(AT):
        yield


@pytest.fixture
def shops(shop, japanese_shop):
    for each in (shop, japanese_shop):
        each.notification_emails = [f"desk@{each.slug}.example"]
        each.save()
    return {"en": shop, "ja": japanese_shop}


def lines_of(shop):
    for n in (1, 2):
        if not Listing.objects.filter(merchant=shop, sku=f"CUP-{n}").exists():
            ListingFactory(merchant=shop, sku=f"CUP-{n}", title=f"Cup {n}")
    money = AMOUNTS if shop.marketplace.currency == "GBP" else {"item_price": Decimal(1500)}
    return [
        ItemDraft("CUP-1", 3, money, customisation="canary engraving"),
        ItemDraft("CUP-2", 1, PLAIN),
    ]


def sold(shop, make=unshipped_order, **changes) -> Order:
    order = make(shop, lines=lines_of(shop), contact=CONTACT, buyer_name="Bea Buyer", **changes)
    notes.add_note(order_id=order.pk, text=NOTE, by=STAFF)
    Payment.objects.filter(order=order).update(token=f"{order.payment.token}:{CARD}"[:100])
    return order


def settle(order, outcome) -> None:
    verification.settle_verifications({order.pk: Verification(outcome)}, by=GATEWAY)


def owe(order, kind, *, before=None, after=None, **payload) -> None:
    """Owe a letter whose event another part of the product writes."""
    line = history.Line(
        order.merchant_id,
        "order.something",
        clock.now(),
        STAFF,
        order.pk,
        before or {},
        after or {},
    )
    [entry] = history.append([line])
    key, at = f"test-{entry.number}", clock.now()
    told = {"history": entry.number, **payload}
    outbox.owe([outbox.Owed(order.merchant_id, order.pk, kind, key, at, at, told)])


def late(order):
    return clock.stopped(order.deadline_at)


def ship(order, quantities=None, **more) -> None:
    carrier = "Royal Mail" if order.marketplace.country == "GB" else "Yamato"
    package = Package(AT.date(), carrier, "", "Standard", "QT1GB")
    wanted = shipments.Confirmation(order.pk, package, quantities, **more)
    shipments.confirm_shipments(wanted=[wanted], by=STAFF)
    order.refresh_from_db()


# How each kind comes about: the order it is about.


def n01(shop):
    return sold(shop)


def n03(shop):
    order = sold(shop, pending_order, payment_token="ok-slow")
    with clock.stopped(AT + timedelta(minutes=20)):
        settle(order, VerificationOutcome.CHECKING)
    return order


def n04(shop):
    order = sold(shop, pending_order)
    verification.decline(order_id=order.pk, cause=CancelCause.FRAUD_SUSPECTED, by=GATEWAY)
    return order


def n05(shop):
    order = sold(shop)
    ship(order, {order.items.get(line=1).pk: 2}, rest_not_sent=True)
    return order


def n06(shop):
    order = sold(shop)
    wanted = cancellations.CancelRequest(order.pk, CancelReason.PRICING_ERROR, note=NOTE)
    cancellations.cancel_order(wanted=wanted, by=STAFF)
    return order


def n07(shop):
    order = sold(shop)
    with clock.stopped(order.email_warning_at):
        owe(order, "N07")
    return order


def n08(shop):
    order = sold(shop)
    with late(order):
        cancellations.cancel_overdue(order_ids=[order.pk], by=Actor("job", "auto-cancel"))
    return order


def n10(shop):
    order = sold(shop)
    ship(order)
    refund(order, "16.00" if shop.country == "GB" else "160", memo=MEMO,
           reason=RefundReason.CUSTOMER_RETURN)  # fmt: skip
    return order


def n18(shop):
    order = sold(shop)
    owe(
        order,
        "N18",
        before={
            "ship_date": "2026-12-09",
            "deliver_from": "2026-12-11",
            "deliver_to": "2026-12-16",
        },
        after={"ship_date": "2026-12-10", "deliver_from": "2026-12-14", "deliver_to": "2026-12-17"},
    )
    return order


def asked(kind):
    def make(shop):
        order = sold(shop)
        owe(order, kind, request=7)
        return order

    return make


def n30(shop):
    return sold(shop, pending_order, payment_method="convenience_store",
                payment_token="convenience-store-unpaid")  # fmt: skip


def n35(shop):
    order = sold(shop, payment_token="capture-fails")
    Payment.objects.filter(order=order).update(token="capture-fails")
    ship(order)
    return order


def n36(shop):
    order = sold(shop, pending_order)
    cancellations.cancel_for_buyer(order_id=order.pk, by=BUYER)
    return order


def n37(shop):
    order = sold(shop)
    cancellations.cancel_for_platform(order_id=order.pk, note=NOTE, by=OPERATOR)
    return order


CASES = {
    "N01": n01, "N02": n01, "N03": n03, "N04": n04, "N05": n05, "N06": n06, "N07": n07, "N08": n08,
    "N09": n08, "N10": n10, "N18": n18, "N20": asked("N20"), "N21": asked("N21"),
    "N22": asked("N22"), "N30": n30, "N35": n35, "N36": n36, "N37": n37,
}  # fmt: skip
# N30 is about convenience stores, where there are any.
WRITTEN = [(kind, each) for kind in CASES for each in ("en", "ja") if (kind, each) != ("N30", "en")]
TO_MERCHANT = {"N02", "N07", "N08", "N20", "N37"}
# Besides N01 and N05, which say where the goods go, no letter names an address.
NAMES_THE_ADDRESS = {"N01", "N05"}


@pytest.fixture(autouse=True)
def _request_of_the_buyer(monkeypatch, request):
    """A buyer's cancellation request; its table is not part of these letters."""
    kind = getattr(request.node, "callspec", None) and request.node.callspec.params.get("kind")
    state = "declined" if kind == "N21" else "open"
    wish = SimpleNamespace(reason="FoundCheaper", state=state, answer="It is packed.",
                           answer_by_at=AT + timedelta(hours=48))  # fmt: skip
    monkeypatch.setattr(Dossier, "request", property(lambda self: wish))


def letter_of(kind, shop, send) -> LetterCopy:
    order = CASES[kind](shop)
    copies = LetterCopy.objects.filter(outbox__order=order, outbox__kind=kind)
    at = order.email_warning_at if kind == "N07" else AT + timedelta(minutes=30)
    with clock.stopped(order.deadline_at if kind in ("N08", "N09") else at):
        for _ in range(3):  # an order's letters go one after another
            send()
    return copies.select_related("outbox__order").get()


# All of them --------------------------------------------------------------------------------------


@pytest.mark.req("NOTIF-08", "NOTIF-10", "BUYER-01", "NOTIF-06")
@pytest.mark.parametrize(("kind", "language"), WRITTEN)
def test_every_kind_is_written_in_both_languages(kind, language, shops, send):
    letter = letter_of(kind, shops[language], send)
    order = letter.outbox.order
    text = f"{letter.subject}\n{letter.body}"
    assert order.number in letter.subject
    assert order.number in letter.body or kind in TO_MERCHANT
    assert re.search(r"\{\{|\{%|None|&amp;|&lt;|&#", letter.body.replace(MEMO, "memo")) is None
    assert "\n\n\n" not in letter.body.replace(MEMO, "memo")
    assert letter.body == letter.body.strip() + "\n"
    japanese = re.search("[\u3040-\u30ff]", text.replace(MEMO, "memo").replace("北の暮らし", ""))
    assert (japanese is not None) == (language == "ja")
    if kind in TO_MERCHANT:
        assert letter.sent_to == [f"desk@{order.merchant.slug}.example"]
        assert "http://localhost:8000/orders/" in letter.body
        assert "/buyer/" not in letter.body
        assert "Manage Orders" in letter.body  # NOTIF-12
    else:
        assert letter.sent_to == [SECRETS["buyer_email"]]
        assert buyer_links.link_for(order) in letter.body.split("\n")
        assert str(order.merchant) in letter.body


@pytest.mark.req("NOTIF-04", "INV-17", "PENDING-04", "PENDING-11", "TH-08", "NOTIF-10")
@pytest.mark.parametrize(("kind", "language"), WRITTEN)
def test_no_kind_says_what_it_must_not(kind, language, shops, send):
    letter = letter_of(kind, shops[language], send)
    text = f"{letter.subject}\n{letter.body}".lower()
    forbidden = [CARD, "4242", NOTE, "canary gift", SECRETS["buyer_phone"], SECRETS["buyer_email"],
                 "Olive", "Jo Adair", "canary engraving", "fraud", "desk@"]  # fmt: skip
    if kind not in NAMES_THE_ADDRESS:
        forbidden += ADDRESS
    if kind in TO_MERCHANT:
        forbidden += ["Bea", "Buyer ", "ok:", "authoris", "£", "¥"] if kind == "N02" else ["Bea"]
    assert [word for word in forbidden if word.lower() in text] == []


@pytest.mark.req("NOTIF-01", "INV-09")
def test_every_mail_an_event_owes_has_a_writer_and_a_name(monkeypatch):
    mails = {m.kind for owed in MESSAGES.values() for m in owed if re.match(r"N\d\d$", m.kind)}
    assert mails <= set(KINDS) == set(LABELS) == set(CASES)
    assert [each for each in run_checks() if each.id == "orders.E005"] == []
    monkeypatch.delitem(letters.READERS, "N05")
    [found] = [each for each in checks.tables_are_complete() if each.id == "orders.E005"]
    assert found.msg == "Letter N05 has no writer."


@pytest.mark.req("NOTIF-08")
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_code_has_words(language):
    assert set(words.CANCELLED[language]) == {*CancelReason.values, *CancelCause.values}
    assert set(words.REFUNDED[language]) == {*RefundReason.values, *SystemRefundReason.values}
    assert set(words.SERVICE[language]) == set(ServiceLevel.values)
    assert set(words.COMPONENTS[language]) == set(COMPONENTS)
    for table in (words.CANCELLED, words.REFUNDED, words.REQUEST_REASONS, words.COMPONENTS):
        assert set(table["en"]) == set(table["ja"])
        assert all(table[language].values())
    assert words.word(words.SERVICE, language, "by-drone") == "by-drone"


# Word for word ------------------------------------------------------------------------------------


def footer(order) -> str:
    return f"""
Order ID: {order.number}
Seller: Harbour & Hearth
Your order at any time:
{buyer_links.link_for(order)}

Seller Central sent this e-mail about your order. Nobody reads answers to it; contact the seller from the page of your order.
"""


@pytest.mark.req("NOTIF-10", "IMPL-32", "IMPL-33", "T02")
def test_the_order_confirmation(shops, send):
    letter = letter_of("N01", shops["en"], send)
    assert (
        letter.body
        == f"""Hello Bea Buyer,

thank you for your order with Harbour & Hearth. Your payment method is verified and the seller is preparing the shipment.
You are charged when the first package leaves.

Items
- 3 × Cup 1: £125.60
- 1 × Cup 2: £12.00

Item price: £110.00
Item tax: £20.00
Gift wrap: £5.00
Gift wrap tax: £1.00
Promotion: −£10.00
Shipping: £10.00
Shipping tax: £1.60
Order total: £137.60

Delivery address
Canary Recipient
1 Canary Row
Canary Flat
Canary Yard
Canaryton
Canaryshire
CA1 9RY
United Kingdom

Estimated delivery: Fri 11 Dec 2026 to Wed 16 Dec 2026
{footer(letter.outbox.order)}"""
    )


@pytest.mark.req("NOTIF-04", "NOTIF-03", "NOTIF-12", "T02")
def test_sold_ship_now(shops, send):
    letter = letter_of("N02", shops["en"], send)
    number = letter.outbox.order.number
    assert letter.subject == f"Sold, Ship Now: {number}"
    assert (
        letter.body
        == f"""Hello Harbour & Hearth,

you have sold something. The payment is verified: please ship now, then confirm the shipment.

Order ID: {number}
Shipping service: Standard
Ship by: Wed 9 Dec 2026

Items
- 3 × Cup 1 (SKU CUP-1)
- 1 × Cup 2 (SKU CUP-2)

Where to send it does not stand in this e-mail. See the order in Manage Orders, or an order report:
http://localhost:8000/orders/{number}/

Do not rely on e-mail alone: look at Manage Orders every working day.

Seller Central sent this e-mail to the address of your Order Notification settings. Nobody reads answers to it. E-mail can be late or lost: Manage Orders always shows what is to be done.
"""
    )


@pytest.mark.req("SHIP-12", "SHIP-20", "T06")
def test_the_delivery_confirmation(shops, send):
    letter = letter_of("N05", shops["en"], send)
    assert (
        letter.body
        == f"""Hello Bea Buyer,

Harbour & Hearth has shipped a package of your order.

In this package
- 2 × Cup 1

Will not be sent
- 1 × Cup 1
- 1 × Cup 2
The seller refunds what is not sent.

Ship date: Mon 7 Dec 2026
Carrier: Royal Mail
Shipping method: Standard
Tracking ID: QT1GB
Follow it: https://www.royalmail.com/track-your-item#/tracking-results/QT1GB
Estimated delivery: Fri 11 Dec 2026 to Wed 16 Dec 2026

Delivery address
Canary Recipient
1 Canary Row
Canary Flat
Canary Yard
Canaryton
Canaryshire
CA1 9RY
United Kingdom

Your payment method is charged with the order total of £137.60 now. Further packages of this order cost nothing more.
{footer(letter.outbox.order)}"""
    )


@pytest.mark.req("REFUND-09", "REFUND-11", "NOTIF-10")
def test_the_refund_with_the_memo_as_typed(shops, send):
    letter = letter_of("N10", shops["en"], send)
    order = letter.outbox.order
    assert letter.subject == f"Refund of £16.00 for your order {order.number}"
    assert (
        letter.body
        == f"""Hello Bea Buyer,

Harbour & Hearth has refunded £16.00 of your order. The money goes back to the way you paid; that can take a few days.

- Cup 1: £16.00

Reason: Customer return
Remaining order value: £121.60

The seller writes:

{MEMO}
{footer(order)}"""
    )


@pytest.mark.req("AUTO-06", "AUTO-09", "T10")
def test_the_warning_of_day_25(shops, send):
    letter = letter_of("N07", shops["en"], send)
    number = letter.outbox.order.number
    assert letter.subject == f"Confirm order {number} by 6 Jan 2027, 09:30 GMT"
    assert (
        "It will be cancelled automatically in 5 more days, on 6 Jan 2027, 09:30 GMT, unless you"
        " ship it and confirm the shipment before." in letter.body
    )
    assert f"http://localhost:8000/orders/{number}/confirm-shipment/\n" in letter.body
    assert "http://localhost:8000/orders/?status=at_risk\n" in letter.body


@pytest.mark.req("AUTO-07", "AUTO-10")
@pytest.mark.parametrize("fate", ["shipped", "cancelled", "past its deadline"])
def test_no_warning_of_what_is_no_longer_so(shops, send, fate):
    order = n07(shops["en"])
    if fate == "shipped":
        ship(order)
    elif fate == "cancelled":
        wanted = cancellations.CancelRequest(order.pk, CancelReason.PRICING_ERROR)
        cancellations.cancel_order(wanted=wanted, by=STAFF)
    at = order.deadline_at if fate == "past its deadline" else order.email_warning_at
    with clock.stopped(at):
        send()
        send()
    assert Outbox.objects.get(order=order, kind="N07").state == "dropped"


@pytest.mark.req("AUTO-04", "T10")
def test_the_automatic_cancellation_to_both(shops, send):
    to_merchant = letter_of("N08", shops["en"], send)
    order = to_merchant.outbox.order
    assert "was not confirmed within 30 days, by 6 Jan 2027, 09:30 GMT." in to_merchant.body
    assert "even if it has been shipped" in to_merchant.body
    assert "counts in your cancellation rate" in to_merchant.body
    to_buyer = LetterCopy.objects.get(outbox__order=order, outbox__kind="N09")
    assert "will not be, even if goods have reached you." in to_buyer.body


@pytest.mark.req("DETAIL-15")
def test_the_revised_dates(shops, send):
    letter = letter_of("N18", shops["en"], send)
    assert (
        """revised the estimated dates of your order.

Shipping until now: Wed 9 Dec 2026
Shipping from now on: Thu 10 Dec 2026

Delivery until now: Fri 11 Dec 2026 to Wed 16 Dec 2026
Delivery from now on: Mon 14 Dec 2026 to Thu 17 Dec 2026

Order ID"""
        in letter.body
    )


@pytest.mark.req("BUYERCANCEL-03", "BUYERCANCEL-04", "BUYERCANCEL-05")
def test_the_letters_about_a_request_to_cancel(shops, send):
    asked_of = letter_of("N20", shops["en"], send).body
    assert "Reason: Found cheaper\n" in asked_of
    assert "Please answer within 2 days, by 9 Dec 2026, 10:30 GMT:" in asked_of
    declined = letter_of("N21", shops["en"], send).body
    assert "Harbour & Hearth declined.\n\nThe seller writes:\n\nIt is packed.\n" in declined
    unanswered = letter_of("N22", shops["en"], send).body
    assert "pass your request on to customer service" in unanswered


# Variants -----------------------------------------------------------------------------------------


def text_of(order, kind, send, at=AT + timedelta(minutes=30)) -> str:
    with clock.stopped(at):
        for _ in range(4):
            send()
    return LetterCopy.objects.filter(outbox__order=order, outbox__kind=kind).latest("pk").body


@pytest.mark.req("SHIP-12", "SHIP-13", "SHIP-09")
def test_only_the_first_package_speaks_of_the_charge(shops, send):
    order = sold(shops["en"])
    ship(order, {order.items.get(line=1).pk: 1})
    assert "charged with the order total of £137.60 now" in text_of(order, "N05", send)
    ship(order)
    second = text_of(order, "N05", send)
    assert "charged" not in second
    assert "- 2 × Cup 1\n- 1 × Cup 2\n" in second


@pytest.mark.req("DETAIL-15", "SHIP-12")
def test_a_package_says_the_dates_that_hold_now(shops, send):
    order = sold(shops["en"])
    told = revisions.Dates(date(2026, 12, 10), date(2026, 12, 14), date(2026, 12, 17))
    with clock.stopped(AT + timedelta(minutes=10)):
        revisions.revise_dates(order_id=order.pk, wanted=told, by=STAFF)
    ship(order)
    body = text_of(order, "N05", send)
    assert "Mon 14 Dec 2026" in body
    assert "Thu 17 Dec 2026" in body
    assert "16 Dec 2026" not in body


@pytest.mark.req("CANCEL-05", "T09", "PENDING-10")
def test_what_was_paid_in_advance_is_told_to_come_back(shops, send):
    order = sold(shops["ja"], in_advance=True)
    assert "ご入金を確認いたしました" in text_of(order, "N01", send)
    wanted = cancellations.CancelRequest(order.pk, CancelReason.NO_INVENTORY)
    cancellations.cancel_order(wanted=wanted, by=STAFF)
    body = text_of(order, "N06", send)
    assert "前払いいただいた ¥1,512 は、全額返金いたします。" in body
    assert "商品の在庫がございませんでした。" in body


@pytest.mark.req("T03", "PENDING-06")
def test_fraud_is_told_as_any_payment_that_failed(shops, send):
    texts = []
    for cause in (CancelCause.PAYMENT_DECLINED, CancelCause.FRAUD_SUSPECTED):
        order = sold(shops["en"], pending_order)
        verification.decline(order_id=order.pk, cause=cause, by=GATEWAY)
        body = text_of(order, "N04", send)
        texts.append(body.replace(order.number, "").replace(buyer_links.token_for(order), ""))
    assert (
        texts[0].split("Your order at any time")[0] == texts[1].split("Your order at any time")[0]
    )


@pytest.mark.req("PENDING-03", "SHIP-11", "PENDING-10")
@pytest.mark.parametrize("kind", ["N03", "N30", "N35"])
def test_nobody_is_asked_to_repair_what_is_repaired(shops, send, kind):
    order = CASES[kind](shops["ja"])
    if kind == "N35":
        Payment.objects.filter(order=order).update(token="ok")
        ship(order)
    else:
        done = VerificationOutcome.PAID if kind == "N30" else VerificationOutcome.VERIFIED
        settle(order, done)
    for _ in range(3):
        with clock.stopped(AT + timedelta(minutes=30)):
            send()
    assert Outbox.objects.get(order=order, kind=kind).state == "dropped"


@pytest.mark.req("REFUND-16", "NOTIF-10")
def test_each_refund_says_what_remained_after_it(shops, send):
    order = sold(shops["en"])
    ship(order)
    refund(order, "10.00")
    refund(order, "5.00")
    with clock.stopped(AT + timedelta(minutes=30)):
        for _ in range(4):
            send()
    told = (
        LetterCopy.objects.filter(outbox__kind="N10").order_by("pk").values_list("body", flat=True)
    )
    assert [re.search("Remaining order value: (.*)", body)[1] for body in told] == [
        "£127.60", "£122.60",
    ]  # fmt: skip


@pytest.mark.req("NOTIF-05", "NOTIF-03")
def test_a_shop_that_named_no_address_is_written_to_through_its_owners(shop, alice, bob, send):
    order = unshipped_order(shop)
    send()
    [copy] = LetterCopy.objects.filter(outbox__order=order, outbox__kind="N02")
    assert copy.sent_to == ["alice@shop.example"]
    assert [m.to for m in mail.outbox][-1] == ["alice@shop.example"]


# The link -----------------------------------------------------------------------------------------


@pytest.mark.req("BUYER-01", "TH-32")
def test_a_link_names_one_order_and_cannot_be_made_up(shop, settings):
    order, other = unshipped_order(shop), unshipped_order(shop)
    token = buyer_links.token_for(order)
    assert buyer_links.link_for(order) == f"http://localhost:8000/buyer/{token}/"
    assert buyer_links.read(token) == order.number
    swapped = token.replace(order.number, other.number)
    for wrong in (swapped, token[:-1], token + "x", order.number, "", ":", token.upper(), "é:ü"):
        assert buyer_links.read(wrong) is None
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + "1" * 60
    assert buyer_links.read(token) == order.number
    settings.SECRET_KEY_FALLBACKS = []
    assert buyer_links.read(token) is None


@pytest.mark.req("BUYER-01")
def test_another_signature_of_ours_opens_no_order(order):
    from django.core.signing import Signer

    assert buyer_links.read(Signer(salt="something.else").sign(order.number)) is None
