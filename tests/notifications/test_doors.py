"""Each e-mail of section 8.1 whose event people can cause: caused by them, read as it arrived.

The event comes in by a page, the API or a job; the mail is what the mail server was handed. What
deliberately sends nothing (section 8.2) comes in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.domain import keys
from accounts.models import Merchant
from catalog.models import Listing
from core import clock, jobs
from notifications.models import LetterCopy, Outbox
from orders.domain import buyer_links
from orders.models import Order
from payments.models import Payment
from tests.buyers import page_of, post
from tests.factories import STAFF, ListingFactory, MembershipFactory, unshipped_order
from tests.pages import fields_in, form_of
from tests.sinks.smtp import SmtpSink, Taken

AT = datetime(2026, 12, 7, 10, 30, tzinfo=UTC)  # a Monday
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
BUYER = "canary@mail.example"
PHONE = "07700 900999"
ADDRESS = {
    "recipient_name": "Canary Recipient",
    "address_1": "1 Canary Row",
    "address_2": "Canary Flat",
    "address_3": "Canary Yard",
    "city": "Canaryton",
    "region": "Canaryshire",
    "postal_code": "CA1 9RY",
}
CARD = "canary-4242424242424242"
MEMO = "Sorry <b>about</b> that & the {{ mug }}."
NOTE = "canary internal note"


@dataclass
class Desk:
    """A shop, its owner's browser, its buyers' browser, its program, and the time of day."""

    shop: Merchant
    owner: Client
    language: str
    sink: SmtpSink
    key: str
    stack: ExitStack
    now: datetime = AT
    buyer: Client = field(default_factory=Client)

    def wait(self, span: timedelta) -> None:
        """Let time pass, and the jobs of the timetable run at its end."""
        self.now += span
        self.stack.enter_context(clock.stopped(self.now))
        for job in ("check-payments", "confirmation-warnings", "auto-cancel",
                    "cancellation-request-limits"):  # fmt: skip
            jobs.run(job)
        self.send()

    def send(self) -> None:
        """Let the outbox run; an order's letters go one after another."""
        for _again in range(4):
            jobs.run("send-outbox")

    def buy(self, token: str = "ok", method: str = "card", quantity: int = 2) -> Order:
        """Post an order to the API, as a shop's program does."""
        money = {"item_price": "20.00"} if self.language == "en" else {"item_price": "2000"}
        sku = "CUP-1"
        if not Listing.objects.filter(merchant=self.shop, sku=sku).exists():
            ListingFactory(merchant=self.shop, sku=sku, title="Tea cup")
        country = "GB" if self.language == "en" else "JP"
        wanted = {
            "buyer_name": "Bea Buyer",
            "buyer_email": BUYER,
            "buyer_phone": PHONE,
            "ship_to": ADDRESS | {"country": country},
            "items": [{"sku": sku, "quantity": quantity, **money}],
            "payment": {"method": method, "token": f"{token}:{CARD}"},
        }
        answer = Client().post(
            "/api/v1/orders/",
            json.dumps(wanted),
            content_type="application/json",
            headers={"authorization": f"Bearer {self.key}"},
        )
        assert answer.status_code == 201, answer.content
        self.send()
        return Order.objects.get(number=answer.json()["order_id"])

    def sold(self, **wanted: Any) -> Order:
        """An order whose payment the job found verified, and whose sale the shop has heard of."""
        order = self.buy(**wanted)
        self.wait(16 * MINUTE)
        order.refresh_from_db()
        assert order.status == "unshipped"
        return order

    def act(self, order: Order, page: str, **typed: Any) -> Any:
        """Fill in a form of the order desk and send it."""
        where = f"/orders/{order.number}/{page}/"
        answer = self.owner.post(where, form_of(self.owner, where) | typed)
        self.send()
        return answer

    def ask(self, order: Order, page: str, **typed: Any) -> None:
        """Fill in a form of the buyer's page and send it."""
        assert post(self.buyer, order, page, **typed).status_code == 302
        self.send()

    def ship(self, order: Order, **typed: Any) -> Any:
        carrier = "Royal Mail" if self.language == "en" else "Yamato"
        package = {"carrier": carrier, "method": "Tracked", "tracking_id": "QT1GB"}
        return self.act(order, "confirm-shipment", **(package | typed))

    def cancel(self, order: Order, **typed: Any) -> None:
        assert self.act(order, "cancel", reason="NoInventory", **typed).status_code == 302

    def refund(self, order: Order) -> None:
        """Give one pound or yen back: the form, then the last look."""
        where, item = f"/orders/{order.number}/refund/", order.items.get()
        typed = {"tab": "partial", "reason": "CustomerReturn", "memo": MEMO,
                 f"item_{item.pk}": "1", f"item_cost_{item.pk}": "1"}  # fmt: skip
        fields = form_of(self.owner, f"{where}?tab=partial") | typed
        look = self.owner.post(where, fields, follow=True)
        last = fields_in(look.content.decode(), where) | {"confirmed": "1"}
        assert self.owner.post(where, last).status_code == 302
        self.send()

    def arrived(self, kind: str) -> list[Taken]:
        """What the mail server took of a kind; which kind it is says the message's own id."""
        known = dict(LetterCopy.objects.values_list("message_id", "outbox__kind"))
        return [mail for mail in self.sink.taken if known[mail.id] == kind]


@pytest.fixture
def desks(shop, japanese_shop, sink) -> Iterator[dict[str, Desk]]:
    with ExitStack() as stack:
        stack.enter_context(clock.stopped(AT))
        opened = {}
        for language, place in (("en", shop), ("ja", japanese_shop)):
            place.notification_emails = [f"desk@{place.slug}.example"]
            place.claim_email = f"warnings@{place.slug}.example"
            place.save()
            owner = MembershipFactory(merchant=place, is_owner=True).user
            browser = Client()
            browser.force_login(owner)
            key = keys.create_key(merchant=place, name="shop", by=STAFF)[1]
            opened[language] = Desk(place, browser, language, sink, key, stack)
        yield opened


# How each event comes about -----------------------------------------------------------------------


def verified(desk: Desk) -> Order:
    return desk.sold()


def slow(desk: Desk) -> Order:
    order = desk.buy("ok-slow")
    desk.wait(16 * MINUTE)
    return order


def fraud(desk: Desk) -> Order:
    order = desk.buy("fraud")
    desk.wait(16 * MINUTE)
    return order


def shipped(desk: Desk) -> Order:
    order = desk.sold()
    assert desk.ship(order).status_code == 302
    return order


def cancelled(desk: Desk) -> Order:
    order = desk.sold()
    desk.cancel(order, note=NOTE)
    return order


def warned(desk: Desk) -> Order:
    order = desk.sold()
    desk.wait(order.email_warning_at - desk.now)
    return order


def overdue(desk: Desk) -> Order:
    order = warned(desk)
    desk.wait(order.deadline_at - desk.now)
    return order


def refunded(desk: Desk) -> Order:
    order = shipped(desk)
    desk.act(order, "notes", text=NOTE)
    desk.refund(order)
    return order


def revised(desk: Desk) -> Order:
    order = desk.sold()
    days = {"ship": "2026-12-10", "deliver_from": "2026-12-14", "deliver_to": "2026-12-17"}
    assert desk.act(order, "dates", **days).status_code == 302
    return order


def asked(desk: Desk) -> Order:
    order = desk.sold()
    desk.ask(order, "cancel/", reason="FoundCheaper")
    return order


def declined(desk: Desk) -> Order:
    order = asked(desk)
    typed = {"answer": "decline", "text": "It is packed."}
    assert desk.act(order, "cancellation-request", **typed).status_code == 302
    return order


def unanswered(desk: Desk) -> Order:
    order = asked(desk)
    desk.wait(timedelta(hours=48))
    return order


def at_the_store(desk: Desk) -> Order:
    return desk.buy("convenience-store-unpaid", "convenience_store")


def charge_failed(desk: Desk) -> Order:
    order = desk.sold(token="capture-fails")
    assert desk.ship(order).status_code == 402
    return order


def undone(desk: Desk) -> Order:
    order = desk.buy()
    desk.wait(MINUTE)
    desk.ask(order, "cancel/")
    return order


def sold_and_undone(desk: Desk) -> Order:
    """Only a test order can still be cancelled by its buyer once the shop has heard of the sale."""
    order = unshipped_order(desk.shop, is_test=True, age=timedelta(hours=1))
    desk.send()
    desk.ask(order, "cancel/")
    return order


DESK, WARNINGS = "desk", "warnings"


@dataclass(frozen=True)
class Mail:
    """How a mail comes about, to whom it goes, and what it says in each language.

    subject, says: {n} stands for the Order ID, {seller} for the shop's name.
    """

    event: Callable[[Desk], Order]
    to: str
    subject: dict[str, str]
    says: dict[str, list[str]]


MAILS = {
    "N01": Mail(
        verified,
        BUYER,
        {"en": "Order confirmation: {n}", "ja": "ご注文の確認: {n}"},
        {
            "en": ["- 2 × Tea cup: £20.00", "Order total: £20.00", "1 Canary Row\n", "CA1 9RY\n",
                   "Estimated delivery: Fri 11 Dec 2026 to Wed 16 Dec 2026"],
            "ja": ["- Tea cup × 2: ¥2,000", "ご注文合計: ¥2,000", "1 Canary Row",
                   "お届け予定日: 2026/12/"],
        },
    ),
    "N02": Mail(
        verified,
        DESK,
        {"en": "Sold, Ship Now: {n}", "ja": "商品が売れました。出荷してください: {n}"},
        {
            "en": ["Order ID: {n}\n", "- 2 × Tea cup (SKU CUP-1)", "Shipping service: Standard",
                   "Ship by: Wed 9 Dec 2026", "http://localhost:8000/orders/{n}/\n",
                   "Do not rely on e-mail alone"],
            "ja": ["注文番号: {n}\n", "- Tea cup × 2 (SKU CUP-1)", "配送サービス: 通常配送",
                   "出荷期限: 2026/12/09", "http://localhost:8000/orders/{n}/\n",
                   "メールだけに頼らず"],
        },
    ),
    "N03": Mail(
        slow,
        BUYER,
        {"en": "Payment of your order {n} takes longer",
         "ja": "ご注文 {n} のお支払い確認に時間がかかっています"},
        {
            "en": ["There may be a problem with your payment method, or the check just takes longer",
                   "What you can do:\n- Ask the bank"],
            "ja": ["お支払い方法に問題があるか", "お客様にお願いしたいこと\n- "],
        },
    ),
    "N04": Mail(
        fraud,
        BUYER,
        {"en": "Your order {n} is cancelled", "ja": "ご注文 {n} はキャンセルされました"},
        {
            "en": ["is cancelled. The payment could not be secured.", "please place a new order"],
            "ja": ["お支払いを確認できませんでした。", "改めてご注文ください"],
        },
    ),
    "N05": Mail(
        shipped,
        BUYER,
        {"en": "Shipped: your order {n}", "ja": "出荷のお知らせ: ご注文 {n}"},
        {
            "en": ["In this package\n- 2 × Tea cup", "Ship date: Mon 7 Dec 2026",
                   "Carrier: Royal Mail", "Shipping method: Tracked", "Tracking ID: QT1GB",
                   "Estimated delivery: Fri 11 Dec 2026 to Wed 16 Dec 2026", "1 Canary Row\n",
                   "Your payment method is charged with the order total of £20.00 now."],
            "ja": ["この荷物の商品\n- Tea cup × 2", "出荷日: 2026/12/07", "配送業者: Yamato",
                   "配送方法: Tracked", "お問い合わせ伝票番号: QT1GB", "お届け予定日: 2026/12/",
                   "1 Canary Row", "ご注文合計 ¥2,000 を、お支払い方法にご請求いたします。"],
        },
    ),
    "N06": Mail(
        cancelled,
        BUYER,
        {"en": "Your order {n} is cancelled", "ja": "ご注文 {n} はキャンセルされました"},
        {
            "en": ["The seller does not have the product in stock.",
                   "You have not been charged and will not be."],
            "ja": ["商品の在庫がございませんでした。", "ご請求は行われておらず、今後も行われません。"],
        },
    ),
    "N07": Mail(
        warned,
        WARNINGS,
        {"en": "Confirm order {n} by 6 Jan 2027, 10:30 GMT",
         "ja": "注文 {n} の出荷通知の期限: 2027/01/06, 19:30 JST"},
        {
            "en": ["It will be cancelled automatically in 5 more days, on 6 Jan 2027, 10:30 GMT,"
                   " unless you ship it and confirm the shipment before.",
                   "http://localhost:8000/orders/{n}/confirm-shipment/\n"],
            "ja": ["この注文はあと 7 日 (2027/01/06, 19:30 JST) で自動的にキャンセルされます。",
                   "http://localhost:8000/orders/{n}/confirm-shipment/\n"],
        },
    ),
    "N08": Mail(
        overdue,
        WARNINGS,
        {"en": "Order {n} was cancelled automatically",
         "ja": "注文 {n} は自動的にキャンセルされました"},
        {
            "en": ["was cancelled automatically: its shipment was not confirmed within 30 days",
                   "You will not be paid for it, even if it has been shipped.",
                   "counts in your cancellation rate"],
            "ja": ["30 日以内", "出荷済みであっても、代金は支払われません。",
                   "キャンセル率に含まれます"],
        },
    ),
    "N09": Mail(
        overdue,
        BUYER,
        {"en": "Your order {n} is cancelled", "ja": "ご注文 {n} はキャンセルされました"},
        {
            "en": ["You have not been charged and will not be, even if goods have reached you."],
            "ja": ["商品がお手元に届いた場合でも、ご請求は行われません。"],
        },
    ),
    "N10": Mail(
        refunded,
        BUYER,
        {"en": "Refund of £1.00 for your order {n}", "ja": "ご注文 {n} の返金: ¥1"},
        {
            "en": ["has refunded £1.00 of your order", "- Tea cup: £1.00",
                   "Reason: Customer return", f"\n{MEMO}\n", "Remaining order value: £19.00"],
            "ja": ["ご注文の ¥1 を返金しました", "- Tea cup: ¥1", "返金の理由: 商品の返品",
                   f"\n{MEMO}\n", "返金後のご注文金額: ¥1,999"],
        },
    ),
    "N18": Mail(
        revised,
        BUYER,
        {"en": "New dates for your order {n}", "ja": "ご注文 {n} の予定日の変更"},
        {
            "en": ["Shipping until now: Wed 9 Dec 2026\nShipping from now on: Thu 10 Dec 2026",
                   "Delivery until now: Fri 11 Dec 2026 to Wed 16 Dec 2026\n"
                   "Delivery from now on: Mon 14 Dec 2026 to Thu 17 Dec 2026"],
            "ja": ["変更前の出荷予定日: 2026/12/09", "変更後の出荷予定日: 2026/12/10",
                   "変更前のお届け予定日: 2026/12/11", "変更後のお届け予定日: 2026/12/14"],
        },
    ),
    "N20": Mail(
        asked,
        DESK,
        {"en": "The buyer asks to cancel order {n}",
         "ja": "購入者からのキャンセル依頼: 注文 {n}"},
        {
            "en": ["Reason: Found cheaper", "Please answer within 2 days, by 9 Dec 2026, 10:46 GMT",
                   "http://localhost:8000/orders/{n}/\n"],
            "ja": ["理由: より安い商品を見つけた", "2 日以内 (2026/12/09, 19:46 JST まで)",
                   "http://localhost:8000/orders/{n}/\n"],
        },
    ),
    "N21": Mail(
        declined,
        BUYER,
        {"en": "Your order {n} is not cancelled", "ja": "ご注文 {n} はキャンセルされませんでした"},
        {
            "en": ["The seller writes:\n\nIt is packed.\n", "you can return them"],
            "ja": ["出品者からのメッセージ\n\nIt is packed.\n", "返品が可能です"],
        },
    ),
    "N22": Mail(
        unanswered,
        BUYER,
        {"en": "No answer yet to your cancellation request, order {n}",
         "ja": "キャンセルのご依頼への回答がありません: ご注文 {n}"},
        {
            "en": ["You may pass your request on to customer service now"],
            "ja": ["カスタマーサービスへご依頼を引き継ぐことができます"],
        },
    ),
    "N30": Mail(
        at_the_store,
        BUYER,
        {"ja": "ご注文 {n} のお支払い方法のご案内"},
        {"ja": ["お支払い番号: ", "お支払い金額: ¥2,000", "お支払い期限: 2026/12/13, 19:30 JST"]},
    ),
    "N35": Mail(
        charge_failed,
        BUYER,
        {"en": "Please update the payment of your order {n}",
         "ja": "ご注文 {n} のお支払い情報を更新してください"},
        {
            "en": ["your payment method could not be charged with £20.00"],
            "ja": ["お支払い方法に ¥2,000 をご請求できませんでした"],
        },
    ),
    "N36": Mail(
        undone,
        BUYER,
        {"en": "Your cancellation of order {n} is done",
         "ja": "ご注文 {n} のキャンセルが完了しました"},
        {
            "en": ["is cancelled, as you asked.", "You have not been charged and will not be."],
            "ja": ["ご依頼のとおり", "ご請求は行われておらず、今後も行われません。"],
        },
    ),
    "N37": Mail(
        sold_and_undone,
        DESK,
        {"en": "Do not ship: order {n} is cancelled",
         "ja": "出荷しないでください: 注文 {n} はキャンセルされました"},
        {
            "en": ["the buyer has cancelled order {n}. Do not ship it.",
                   "does not count in your cancellation rate"],
            "ja": ["購入者が注文 {n} をキャンセルしました。出荷しないでください。",
                   "キャンセル率に含まれません"],
        },
    ),
}  # fmt: skip


@pytest.mark.req(
    "N01", "N02", "N03", "N04", "N05", "N06", "N07", "N08", "N09", "N10", "N18", "N20", "N21",
    "N22", "N30", "N35", "N36", "N37", "NOTIF-02", "NOTIF-04", "NOTIF-08", "NOTIF-10", "PENDING-04",
)  # fmt: skip
@pytest.mark.parametrize(
    ("kind", "language"),
    [(kind, language) for kind, mail in MAILS.items() for language in mail.subject],
)
def test_the_mail_of_an_event_that_somebody_causes(kind, language, desks):
    desk, mail = desks[language], MAILS[kind]

    order = mail.event(desk)
    desk.send()  # the job may run as often as it likes

    [taken] = desk.arrived(kind)
    assert Outbox.objects.filter(order=order, kind=kind).count() == 1
    to = BUYER if mail.to == BUYER else f"{mail.to}@{desk.shop.slug}.example"
    assert (taken.to, taken.message["To"]) == ([to], to)
    assert taken.message["Subject"] == mail.subject[language].format(n=order.number)
    body = taken.body
    for part in mail.says[language]:
        assert part.replace("{n}", order.number) in body, body
    if to == BUYER:
        assert f"\n{buyer_links.link_for(order)}\n" in body
        assert order.number in body
        assert str(desk.shop) in body
    said = f"{taken.message['Subject']}\n{body}".lower()
    assert [each for each in forbidden(kind, to) if each.lower() in said] == []


def forbidden(kind: str, to: str) -> list[str]:
    """What a mail must not contain, by its row of section 8.1."""
    never = [CARD, "4242", NOTE, "fraud"]
    if kind not in ("N01", "N05"):
        never += ADDRESS.values()
    if to != BUYER:
        never += [BUYER, PHONE, "Bea", "/buyer/"]
    if kind == "N02":
        never += ["£", "¥", "card", "authoris"]
    return never


@pytest.mark.req("N30", "BUYER-05", "PENDING-10", "PENDING-11")
def test_how_to_pay_says_the_number_and_comes_again_when_the_buyer_asks(desks):
    desk = desks["ja"]
    order = at_the_store(desk)
    number = Payment.objects.get(pk=order.pk).number
    assert desk.buyer.post(page_of(order, "payment/")).status_code == 302
    desk.send()
    first, again = desk.arrived("N30")
    assert first.id != again.id
    assert first.to == again.to == [BUYER]
    assert f"お支払い番号: {number}\n" in again.body
    assert first.body == again.body


@pytest.mark.req("N05", "SHIP-12", "T07", "T08")
def test_each_package_is_told_and_the_first_alone_speaks_of_the_charge(desks):
    desk = desks["en"]
    order = desk.sold()
    item = order.items.get()
    for _package in range(2):
        assert desk.ship(order, **{f"quantity_{item.pk}": "1"}).status_code == 302
    first, second = desk.arrived("N05")
    assert ("charged" in first.body, "charged" in second.body) == (True, False)


@pytest.mark.req("N06", "T12", "BUYERCANCEL-04")
def test_a_request_that_is_granted_is_told_as_a_cancellation(desks):
    desk = desks["en"]
    order = asked(desk)
    assert desk.act(order, "cancellation-request", answer="accept").status_code == 302
    [mail] = desk.arrived("N06")
    assert mail.to == [BUYER]
    assert "You asked for the cancellation." in mail.body
    assert desk.arrived("N21") == []


@pytest.mark.req("N21", "BUYERCANCEL-07")
def test_a_request_that_the_shipment_answers_is_told(desks):
    desk = desks["en"]
    order = asked(desk)
    assert desk.ship(order, despite_request="1").status_code == 302
    [mail] = desk.arrived("N21")
    assert "It has been shipped already." in mail.body


@pytest.mark.req("N36", "T04")
def test_an_order_still_pending_is_cancelled_and_its_shop_hears_nothing(desks):
    desk = desks["en"]
    undone(desk)
    assert [mail.to for mail in desk.sink.taken] == [[BUYER]]


@pytest.mark.req("N02", "BUYERCANCEL-01", "NOTIF-03")
def test_sold_ship_now_waits_for_the_window_and_can_be_switched_off(desks, settings):
    settings.SANDBOX_VERIFICATION_DELAY = MINUTE
    desk = desks["en"]
    desk.buy()
    desk.wait(2 * MINUTE)
    assert (len(desk.arrived("N01")), desk.arrived("N02")) == (1, [])
    desk.wait(3 * MINUTE)
    assert len(desk.arrived("N02")) == 1
    page = "/settings/account/notifications/"
    fields = form_of(desk.owner, page)
    fields.pop("notify_sold_ship_now")
    assert desk.owner.post(page, fields).status_code == 302
    desk.buy()
    desk.wait(6 * MINUTE)
    assert (len(desk.arrived("N01")), len(desk.arrived("N02"))) == (2, 1)


# Section 8.2 ----------------------------------------------------------------------------------------


def to_the_shop(desk: Desk) -> list[str]:
    """The subjects of what has arrived at the shop, whichever address of it was written to."""
    theirs = desk.shop.slug
    return [mail.message["Subject"] for mail in desk.sink.taken if theirs in mail.to[0]]


@pytest.mark.req("REFUND-10", "PENDING-06", "CANCEL-06", "K17")
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(
    ("event", "told"),
    [
        (refunded, ["N01", "N02", "N05", "N10"]),  # refund issued
        (fraud, ["N04"]),  # pending order cancelled for payment or fraud
        (lambda desk: desk.buy("ok-slow"), []),  # order placed, still pending
        (cancelled, ["N01", "N02", "N06"]),  # merchant's own cancellation
    ],
    ids=["refund", "fraud", "pending", "own cancellation"],
)
def test_events_that_deliberately_send_the_merchant_nothing(event, told, language, desks):
    """Of the sale alone the merchant has heard."""
    desk = desks[language]
    order = event(desk)
    known = dict(LetterCopy.objects.values_list("message_id", "outbox__kind"))
    assert sorted(known[mail.id] for mail in desk.sink.taken) == told
    assert len(to_the_shop(desk)) == ("N02" in told)
    assert not Outbox.objects.filter(order=order, channel="merchant_email").exclude(kind="N02")


@pytest.mark.req("PENDING-06", "K17")
@pytest.mark.parametrize(
    ("token", "method", "days"),
    [("declined", "card", 1), ("convenience-store-unpaid", "convenience_store", 7)],
)
def test_no_money_is_no_mail_to_the_merchant_either(token, method, days, desks):
    desk = desks["ja"]
    desk.buy(token, method)
    desk.wait(days * DAY)
    assert len(desk.arrived("N04")) == 1
    assert to_the_shop(desk) == []


@pytest.mark.req("N02")
def test_a_file_that_was_worked_through_is_told_to_nobody(desks, tmp_path):
    """What its orders owe is owed by their verification, not by the file."""
    desk = desks["en"]
    ListingFactory(merchant=desk.shop, sku="CUP-1")
    columns = ["order-id", "purchase-date", "buyer-name", "buyer-email", "recipient-name",
               "ship-address-1", "ship-city", "ship-postal-code", "ship-country", "sku",
               "product-name", "quantity-purchased", "item-price"]  # fmt: skip
    values = ["W-1", AT.isoformat(), "Bea", BUYER, "Bea", "1 Row", "Leeds", "LS6 2AB", "GB",
              "CUP-1", "Tea cup", "1", "10.00"]  # fmt: skip
    file = tmp_path / "orders.txt"
    file.write_text("\t".join(columns) + "\n" + "\t".join(values) + "\n", encoding="utf-8")
    call_command("import_orders", str(file), merchant=desk.shop.slug)
    assert Order.objects.filter(merchant=desk.shop).count() == 1
    desk.send()
    assert desk.sink.taken == []
