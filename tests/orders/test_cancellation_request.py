"""A merchant answers a buyer's cancellation request, or overlooks it at a price."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from core import clock
from core.actor import Actor
from core.refusal import Refused
from orders.domain import cancellations, rates, requests, settling, shipments
from orders.domain.packages import Package
from orders.enums import CancelReason
from orders.models import BuyerRequest, Order
from payments.models import Operation, SandboxEntry
from tests.buyers import BUYER, file_request
from tests.factories import (
    GATEWAY,
    STAFF,
    MembershipFactory,
    Preset,
    confirm,
    order_in,
    unshipped_order,
)
from tests.pages import form_of, kinds, snapshot, words


@pytest.fixture
def asked(order) -> Order:
    """An order whose buyer wants it cancelled."""
    file_request(order)
    order.refresh_from_db()
    return order


def path(order: Order) -> str:
    return f"/orders/{order.number}/cancellation-request/"


def post(client, order, **typed):
    return client.post(path(order), form_of(client, path(order)) | typed)


def request_of(order: Order) -> BuyerRequest:
    return BuyerRequest.objects.get(order=order)


@pytest.mark.req("BUYERCANCEL-03", "LIST-12")
def test_the_request_shows_with_its_hours_on_list_and_order(client, alice, asked):
    client.force_login(alice)
    due = request_of(asked).answer_by_at
    for left, told in (
        (timedelta(hours=48), "48 hours left"),
        (timedelta(hours=13), "13 hours left"),
        (timedelta(minutes=20), "1 hour left"),
        (timedelta(0), "answer overdue"),
        (timedelta(days=-3), "answer overdue"),
    ):
        with clock.stopped(due - left):
            row = words(client.get("/orders/?range=30d"))
            page = client.get(f"/orders/{asked.number}/")
        assert f"Buyer requested cancellation ({told})" in row
        assert f"Buyer requested cancellation: {told}" in words(page)
        assert f'href="{path(asked)}">Answer the request' in page.content.decode()


@pytest.mark.req("BUYERCANCEL-03", "LIST-16", "LIST-12")
def test_needs_attention_counts_and_lists_each_order_once(client, alice, shop):
    """A request, lateness and the deadline may meet in one order."""
    plain = unshipped_order(shop)
    wished = [unshipped_order(shop), unshipped_order(shop, age=timedelta(days=10))]
    at_risk = unshipped_order(shop, age=timedelta(days=24))
    for order in (*wished, at_risk):
        file_request(order)
    prime = unshipped_order(shop, is_prime=True)
    file_request(prime)
    declined = unshipped_order(shop)
    file_request(declined)
    requests.decline(order_id=declined.pk, answer="No.", by=STAFF)
    client.force_login(alice)

    page = client.get("/orders/?status=attention")

    assert "Needs attention 3" in words(page)
    html = page.content.decode()
    shown = [o for o in (plain, *wished, at_risk, prime, declined) if f">{o.number}</a>" in html]
    assert shown == [*wished, at_risk]
    assert "Needs attention 3" in words(client.get("/orders/"))
    assert "Needs attention 3" in words(client.get(f"/orders/?q={plain.number}"))


@pytest.mark.req("BUYERCANCEL-03", "IMPL-28")
@pytest.mark.parametrize("orders", [1, 3])
def test_requests_cost_the_list_no_query(client, alice, shop, orders, django_assert_num_queries):
    for _ in range(orders):
        file_request(unshipped_order(shop))
    client.force_login(alice)
    client.get("/orders/")
    with django_assert_num_queries(8):
        client.get("/orders/")


@pytest.mark.req("HOME-03", "BUYERCANCEL-03")
def test_whoever_asks_gets_the_requests_to_answer_the_most_pressing_first(shop, charlie):
    later, first = unshipped_order(shop), unshipped_order(shop)
    file_request(later)
    file_request(first)
    BuyerRequest.objects.filter(order=first).update(answer_by_at=clock.now())
    file_request(unshipped_order(shop, is_prime=True))
    file_request(unshipped_order(charlie.memberships.get().merchant))
    assert [r.order for r in requests.to_answer(shop.pk)] == [first, later]


@pytest.mark.req("BUYERCANCEL-04", "T12", "PERF-04")
def test_accepting_cancels_and_counts_nowhere(client, alice, shop, asked):
    client.force_login(alice)
    page = client.get(path(asked))
    assert "<h1>Cancellation request</h1>" in page.content.decode()
    assert "Reason of the buyer Delivery too late" in words(page)

    answer = post(client, asked, answer="accept")

    assert answer.status_code == 302
    told = words(client.get("/orders/"))
    assert f"Order {asked.number} is cancelled at the buyer’s request." in told
    asked.refresh_from_db()
    end = asked.cancellation
    assert (asked.status, end.move, end.reason, end.counts) == (
        "cancelled", "T12", "BuyerCancelled", False
    )  # fmt: skip
    request = request_of(asked)
    assert (request.state, request.closed_by) == ("accepted", "Alice Owner")
    assert rates.of_month(shop, at=clock.now()).cancelled == 0
    assert {"N06", "OrderCancelledNotification"} <= set(kinds(asked))
    assert not {"N21", "N36", "N37"} & set(kinds(asked))
    settling.settle_open_operations(by=GATEWAY)
    void = Operation.objects.get(order=asked)
    assert SandboxEntry.objects.get(key=void.key).act == "void"
    page = words(client.get(f"/orders/{asked.number}/"))
    assert "by the merchant (Alice Owner): Buyer cancelled" in page
    assert "It does not count in your cancellation rate." in page


@pytest.mark.req("BUYERCANCEL-04")
def test_declining_sends_the_text_and_the_order_stays(client, alice, asked):
    client.force_login(alice)
    text = "Packed <already>.\r\nSend it back, please. 送付済み"

    answer = post(client, asked, answer="decline", text=text)

    assert answer.status_code == 302
    request = request_of(asked)
    assert (request.state, request.answer) == ("declined", text.replace("\r\n", "\n"))
    version = asked.version
    asked.refresh_from_db()
    assert (asked.status, asked.version) == ("unshipped", version + 1)
    assert kinds(asked).count("N21") == 1
    assert "Buyer requested cancellation (" not in words(client.get("/orders/"))
    entry = asked.history.order_by("-number").first()
    assert (entry.event, entry.after) == ("order.request_declined", {"request": request.pk})


@pytest.mark.req("BUYERCANCEL-04", "BI-MSG", "IMPL-25")
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({}, "Choose an answer"),
        ({"answer": "maybe", "text": "x"}, "Choose an answer"),
        ({"answer": "decline"}, "Tell the buyer why"),
        ({"answer": "decline", "text": " \n\t"}, "Tell the buyer why"),
        ({"answer": "decline", "text": "x" * 1001}, "Must be 1,000 characters or fewer"),
        ({"answer": "decline", "text": "x\x07y"}, "Remove control characters"),
    ],
)
def test_an_answer_is_a_choice_and_a_refusal_has_words(client, alice, asked, typed, told):
    client.force_login(alice)
    before = snapshot(asked)
    answer = post(client, asked, **typed)
    assert answer.status_code == 422
    assert told in words(answer)
    assert words(answer).startswith("Error:")
    assert snapshot(asked) == before
    assert request_of(asked).state == "open"


@pytest.mark.req("BUYERCANCEL-04", "BI-MON")
def test_a_thousand_characters_of_any_kind_are_taken(client, alice, asked):
    client.force_login(alice)
    text = "🙂" * 1000
    assert post(client, asked, answer="decline", text=text).status_code == 302
    assert request_of(asked).answer == text


@pytest.mark.req("BUYERCANCEL-04", "BUYERCANCEL-05")
@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_the_merchant_answers_also_what_was_passed_on(client, alice, asked, answer):
    client.force_login(alice)
    with clock.stopped(request_of(asked).answer_by_at):
        requests.escalate(order_id=asked.pk, by=BUYER)
        page = client.get(path(asked))
        assert "has passed the request to customer service" in words(page)
        assert post(client, asked, answer=answer, text="No.").status_code == 302
    assert not BuyerRequest.objects.escalated().exists()


@pytest.mark.req("BUYERCANCEL-05", "TECH-04", "AUTO-13")
def test_the_job_tells_the_buyer_once_and_a_dry_run_plans_it(asked):
    at = (request_of(asked).answer_by_at + timedelta(hours=1)).isoformat()

    def run(*more: str) -> str:
        out = StringIO()
        call_command("run_job", "cancellation-request-limits", "--now", at, *more, stdout=out)
        return out.getvalue()

    assert run("--dry-run").startswith(f"{asked.number}: tell the buyer that no answer came")
    assert "N22" not in kinds(asked)
    assert run() == "1 buyers told\n"
    assert run() == "Nothing was due.\n"
    assert kinds(asked).count("N22") == 1


@pytest.mark.req("SHIP-23")
def test_confirming_needs_a_tick_and_closes_the_request(client, alice, asked):
    client.force_login(alice)
    where = f"/orders/{asked.number}/confirm-shipment/"
    page = client.get(where)
    assert "Ship although the buyer requested cancellation" in words(page)
    fields = form_of(client, where) | {"carrier": "Royal Mail"}
    before = snapshot(asked)

    answer = client.post(where, fields)

    assert answer.status_code == 422
    assert "The buyer has asked for a cancellation. Answer the request, or tick" in words(answer)
    assert snapshot(asked) == before
    assert request_of(asked).state == "open"

    fields = form_of(client, where) | {"carrier": "Royal Mail", "despite_request": "1"}
    assert client.post(where, fields).status_code == 302
    asked.refresh_from_db()
    request = request_of(asked)
    assert (asked.status, request.state, request.closed_by) == ("shipped", "shipped", "Alice Owner")
    assert {"N05", "N21"} <= set(kinds(asked))
    events = list(asked.history.order_by("number").values_list("event", flat=True))
    assert events[-2:] == ["order.shipment_confirmed", "order.request_closed"]


@pytest.mark.req("SHIP-23")
def test_part_of_an_order_closes_the_request_too(asked):
    confirm(asked, 1, despite_request=True)
    assert asked.status == "partially_shipped"
    assert request_of(asked).state == "shipped"


@pytest.mark.req("SHIP-23")
@pytest.mark.parametrize("door", ["file", "api"])
def test_files_and_programs_cannot_tick_and_close_it_all_the_same(asked, door):
    wanted = shipments.Confirmation(asked.pk, Package(clock.now().date(), "UPS"))
    shipments.confirm_shipment(wanted=wanted, by=Actor(door, "shop", owner=True))
    assert request_of(asked).state == "shipped"


@pytest.mark.req("SHIP-23", "BUYERCANCEL-06")
def test_what_the_merchant_does_not_see_asks_for_no_tick(client, alice, shop):
    order = unshipped_order(shop, is_prime=True)
    file_request(order)
    client.force_login(alice)
    where = f"/orders/{order.number}/confirm-shipment/"
    assert "Ship although" not in words(client.get(where))
    fields = form_of(client, where) | {"carrier": "Royal Mail"}
    assert client.post(where, fields).status_code == 302
    assert request_of(order).state == "shipped"


@pytest.mark.req("SHIP-23", "SHIP-11")
def test_a_failed_charge_leaves_the_request_open(shop):
    order = unshipped_order(shop, payment_token="capture-fails")
    file_request(order)
    with pytest.raises(Refused):
        confirm(order, despite_request=True)
    assert request_of(order).state == "open"


@pytest.mark.req("BUYERCANCEL-04", "F16")
def test_while_a_confirmation_is_open_nobody_answers(client, alice, shop):
    order = unshipped_order(shop, payment_token="unavailable")
    file_request(order)
    client.force_login(alice)
    fields = form_of(client, path(order)) | {"answer": "accept"}
    with pytest.raises(Refused):
        confirm(order, despite_request=True)
    before = snapshot(order)
    for answer in (client.get(path(order)), client.post(path(order), fields)):
        assert answer.status_code == 409
        assert "is being confirmed right now" in words(answer)
    assert snapshot(order) == before


@pytest.mark.req("BUYERCANCEL-07", "T09", "T10", "T13")
@pytest.mark.parametrize("how", ["merchant", "deadline", "operator"])
def test_a_request_ends_with_its_order(asked, how):
    if how == "merchant":
        wanted = cancellations.CancelRequest(asked.pk, CancelReason.NO_INVENTORY)
        cancellations.cancel_order(wanted=wanted, by=STAFF)
    elif how == "deadline":
        by, at = Actor("job", "auto-cancel"), {asked.pk: asked.deadline_at}
        cancellations.cancel_overdue(order_ids=[asked.pk], by=by, at=at)
    else:
        by = Actor("operator", "Olive Operator")
        cancellations.cancel_for_platform(order_id=asked.pk, note="As asked", by=by)
    request = request_of(asked)
    asked.refresh_from_db()
    assert (request.state, request.closed_at) == ("ended", asked.cancelled_at)
    assert "N21" not in kinds(asked)
    assert asked.cancellation.counts is (how != "operator")


@pytest.mark.req("BUYERCANCEL-08", "PERF-04")
@pytest.mark.parametrize(
    ("wish", "counts"), [("none", True), ("open", False), ("declined", False), ("prime", False)]
)
def test_buyer_cancelled_counts_unless_the_buyer_asked_officially(
    client, alice, shop, wish, counts
):
    order = unshipped_order(shop, is_prime=wish == "prime")
    if wish != "none":
        file_request(order)
    if wish == "declined":
        requests.decline(order_id=order.pk, answer="No.", by=STAFF)
    client.force_login(alice)
    where = f"/orders/{order.number}/cancel/"
    page = words(client.get(where))
    assert ("the buyer has filed no official request" in page) == counts
    assert page.count("Counts towards your rate") == (6 if counts else 5)
    fields = form_of(client, where) | {"reason": "BuyerCancelled"}
    assert client.post(where, fields).status_code == 302
    order.refresh_from_db()
    assert (order.cancellation.move, order.cancellation.counts) == ("T09", counts)


@pytest.mark.req("PERF-04")
def test_any_other_reason_counts_with_a_request_too(asked):
    wanted = cancellations.CancelRequest(asked.pk, CancelReason.PRICING_ERROR)
    cancellations.cancel_order(wanted=wanted, by=STAFF)
    asked.refresh_from_db()
    assert asked.cancellation.counts is True


@pytest.mark.req("BUYERCANCEL-04", "F01", "F03", "F05", "F06")
@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("pending", "is not verified yet"),
        ("unshipped", "No cancellation request of order"),
        ("partially_shipped", "Confirm the order and refund what was not sent"),
        ("shipped", "is on its way"),
        ("cancelled", "was already cancelled on"),
    ],
)
def test_without_an_open_request_there_is_nothing_to_answer(client, alice, shop, status, sentence):
    order = order_in(status, shop)
    client.force_login(alice)
    before = snapshot(order)
    posted = {"token": "t", "seen": order.version, "answer": "accept"}
    for answer in (client.get(path(order)), client.post(path(order), posted)):
        assert answer.status_code == 409
        assert sentence in words(answer)
    assert snapshot(order) == before


@pytest.mark.req("INV-02", "IMPL-01")
@pytest.mark.parametrize("choice", ["accept", "decline"])
def test_the_same_answer_sent_twice_answers_once(client, alice, asked, choice):
    client.force_login(alice)
    fields = form_of(client, path(asked)) | {"answer": choice, "text": "No."}
    codes = [client.post(path(asked), fields).status_code for _ in range(2)]
    assert codes == [302, 302]
    assert kinds(asked).count("N06" if choice == "accept" else "N21") == 1
    fields |= {"answer": "accept" if choice == "decline" else "decline"}
    assert client.post(path(asked), fields).status_code in (409, 422)  # the other one is another


@pytest.mark.req("F16", "IMPL-02")
def test_a_stale_page_is_refused_with_what_was_typed(client, alice, asked):
    client.force_login(alice)
    fields = form_of(client, path(asked)) | {"answer": "decline", "text": "As typed", "seen": "1"}
    before = snapshot(asked)
    answer = client.post(path(asked), fields)
    assert answer.status_code == 409
    assert "Someone else changed this order" in words(answer)
    assert "As typed" in answer.content.decode()
    assert snapshot(asked) == before


@pytest.mark.req("PERMISSION-02", "PERMISSION-03", "F18", "F19", "INV-16")
def test_who_may_not_cancel_may_not_answer(client, shop, charlie, asked):
    packer = MembershipFactory(merchant=shop, preset=Preset.FULFILMENT).user
    before = snapshot(asked)
    posted = {"answer": "accept", "token": "t", "seen": asked.version}
    for user, code in ((packer, 403), (charlie, 404)):
        client.force_login(user)
        assert client.get(path(asked)).status_code == code
        assert client.post(path(asked), posted).status_code == code
    assert snapshot(asked) == before
    client.force_login(packer)
    page = words(client.get(f"/orders/{asked.number}/"))
    assert "Buyer requested cancellation" in page
    assert "Answer the request" not in page


@pytest.mark.req("BUYERCANCEL-04", "CANCEL-05")
def test_accepting_gives_an_advance_payment_back(client, kenji, japanese_shop):
    order = unshipped_order(japanese_shop, in_advance=True)
    file_request(order)
    client.force_login(kenji)
    assert "gets everything back that was paid" in words(client.get(path(order)))
    assert post(client, order, answer="accept").status_code == 302
    assert order.refunds.get().total == order.total
