"""A buyer asks for a cancellation, waits for the answer, and turns to customer service."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from core.refusal import Refused
from notifications.models import Outbox
from orders.domain import requests
from orders.enums import RequestReason
from orders.models import BuyerRequest, Order
from tests.buyers import BUYER, file_request, page_of, post
from tests.factories import MerchantFactory, unshipped_order
from tests.outsiders import everything
from tests.pages import form_of, kinds, snapshot, words
from tests.races import racers


@pytest.mark.req("BUYERCANCEL-02", "BUYERCANCEL-03", "BUYERCANCEL-07")
@pytest.mark.parametrize("reason", RequestReason.values)
def test_a_request_is_filed_and_the_order_stays(client, order, reason):
    page = client.get(page_of(order, "cancel/"))
    for label in RequestReason.labels:
        assert str(label) in words(page)
    assert "has 48 hours to answer" in words(page)

    answer = post(client, order, "cancel/", reason=reason)

    assert (answer.status_code, answer["Location"]) == (302, page_of(order))
    told = words(client.get(page_of(order)))
    assert "Your request is sent." in told
    assert "You asked for a cancellation The seller answers by" in told
    request = BuyerRequest.objects.get()
    assert (request.reason, request.state) == (reason, "open")
    assert request.answer_by_at - request.filed_at == timedelta(hours=48)
    version = order.version
    order.refresh_from_db()
    assert (order.status, order.version) == ("unshipped", version + 1)
    entry = order.history.order_by("-number").first()
    assert (entry.event, entry.door, entry.after) == (
        "order.request_filed",
        "buyer",
        {"request": request.pk, "reason": reason, "to_platform": False},
    )
    owed = Outbox.objects.get(order=order, kind="N20")
    assert owed.channel == "merchant_email"
    assert owed.payload == {"history": entry.number, "request": request.pk}


@pytest.mark.req("BUYERCANCEL-02", "IMPL-25")
@pytest.mark.parametrize("reason", ["", "Because", "Ordered by mistake"])
def test_a_reason_of_the_list_is_needed(client, order, reason):
    before = everything()
    answer = post(client, order, "cancel/", reason=reason)
    assert answer.status_code == 422
    assert "Choose a reason" in words(answer)
    assert everything() == before


@pytest.mark.req("BUYERCANCEL-07")
def test_one_request_is_open_at_a_time(client, order):
    file_request(order)
    before = everything()
    page = client.get(page_of(order, "cancel/"))
    assert page.status_code == 200
    assert "You asked for a cancellation" in words(page)
    assert "Send request" not in words(page)
    posted = {"act": "request", "reason": "Other", "token": "t", "seen": 1}
    answer = client.post(page_of(order, "cancel/"), posted)
    assert answer.status_code == 409
    assert "has been requested already" in words(answer)
    assert everything() == before


@pytest.mark.req("BUYERCANCEL-02", "BUYERCANCEL-07")
def test_who_can_cancel_directly_has_nothing_to_ask(client, shop):
    order = unshipped_order(shop, age=timedelta(seconds=1))
    before = everything()
    posted = {"act": "request", "reason": "Other", "token": "t", "seen": 1}
    answer = client.post(page_of(order, "cancel/"), posted)
    assert answer.status_code == 409
    assert "can still be cancelled directly" in words(answer)
    assert everything() == before


@pytest.mark.req("BUYERCANCEL-06", "PLATFORM-02")
@pytest.mark.parametrize("changes", [{"is_prime": True}, {"fulfilment_channel": "platform"}])
def test_a_prime_request_goes_straight_to_the_operators(client, alice, shop, changes):
    order = unshipped_order(shop, **changes)

    assert post(client, order, "cancel/", reason="Other").status_code == 302

    request = BuyerRequest.objects.escalated().get()
    assert (request.order_id, request.answer_by_at) == (order.pk, None)
    assert "N20" not in kinds(order)
    assert "Customer service has your request" in words(client.get(page_of(order)))
    client.force_login(alice)
    for address in ("/orders/", f"/orders/{order.number}/"):
        page = client.get(address)
        assert page.status_code == 200
        assert "Needs attention 0" in words(client.get("/orders/"))
        assert 'class="notice__title" id="buyer-asks"' not in page.content.decode()
    answer = client.get(f"/orders/{order.number}/cancellation-request/")
    assert answer.status_code == 409


@pytest.mark.req("BUYERCANCEL-05")
def test_after_its_hours_the_buyer_is_told_and_may_pass_it_on(client, order):
    request = file_request(order)
    early = request.answer_by_at - timedelta(seconds=1)
    with clock.stopped(early):
        assert requests.tell_overdue(by=BUYER) == (0, 0)
        answer = client.post(page_of(order, "customer-service/"))
        assert answer.status_code == 409
        assert "still has time to answer" in words(answer)
    assert "N22" not in kinds(order)
    with clock.stopped(request.answer_by_at):
        assert requests.tell_overdue(by=BUYER) == (1, 0)
        assert requests.tell_overdue(by=BUYER) == (0, 0)
        page = client.get(page_of(order, "cancel/"))
        assert "Pass it to customer service</button>" in page.content.decode()
        answer = client.post(page_of(order, "customer-service/"))
        assert (answer.status_code, answer["Location"]) == (302, page_of(order))
        assert "Customer service has your request now." in words(client.get(page_of(order)))
        assert client.post(page_of(order, "customer-service/")).status_code == 302  # twice is once
    assert kinds(order).count("N22") == 1
    owed = Outbox.objects.get(order=order, kind="N22")
    assert owed.payload["request"] == request.pk
    request.refresh_from_db()
    assert (request.state, request.told_at) == ("escalated", request.answer_by_at)
    events = list(order.history.order_by("number").values_list("event", flat=True))
    assert events[-3:] == [
        "order.request_filed", "order.request_overdue", "order.request_escalated"
    ]  # fmt: skip


@pytest.mark.req("BUYERCANCEL-05")
def test_the_buyer_need_not_wait_for_the_job(client, order):
    request = file_request(order)
    with clock.stopped(request.answer_by_at + timedelta(hours=1)):
        assert client.post(page_of(order, "customer-service/")).status_code == 302
        assert requests.tell_overdue(by=BUYER) == (0, 0)
    assert "N22" not in kinds(order)  # who has it passed on need not hear that it can be


@pytest.mark.req("BUYERCANCEL-05", "BUYERCANCEL-07")
def test_without_a_request_nothing_is_passed_on(client, order):
    before = snapshot(order)
    assert client.post(page_of(order, "customer-service/")).status_code == 409
    assert client.get(page_of(order, "customer-service/")).status_code == 405
    assert snapshot(order) == before


@pytest.mark.req("BUYERCANCEL-04")
def test_a_declined_request_tells_the_sellers_words(client, order):
    request = file_request(order)
    requests.decline(order_id=order.pk, answer="Packed <b>already</b>.\nSorry.", by=BUYER)
    told = words(client.get(page_of(order)))
    assert "Your request was declined The seller writes: Packed <b>already</b>. Sorry." in told
    assert "Request cancellation" in told  # one may ask again
    owed = Outbox.objects.get(order=order, kind="N21")
    assert (owed.channel, owed.payload["request"]) == ("buyer_email", request.pk)


@pytest.mark.req("TH-32")
def test_five_requests_an_hour_are_enough(client, order):
    with clock.stopped(order.purchased_at + timedelta(hours=2)):
        for _ in range(5):
            assert post(client, order, "cancel/", reason="Other").status_code == 302
            requests.decline(order_id=order.pk, answer="No.", by=BUYER)
        answer = post(client, order, "cancel/", reason="Other")
        assert answer.status_code == 429
        assert "Too many tries." in words(answer)
    assert kinds(order).count("N20") == 5


@pytest.mark.req("INV-02", "IMPL-01")
def test_the_same_form_sent_twice_asks_once(client, order):
    fields = form_of(client, page_of(order, "cancel/")) | {"reason": "Other"}
    codes = [client.post(page_of(order, "cancel/"), fields).status_code for _ in range(2)]
    assert codes == [302, 302]
    assert BuyerRequest.objects.count() == 1
    assert kinds(order).count("N20") == 1


@pytest.mark.req("BUYERCANCEL-05", "TECH-04")
def test_a_sandbox_shops_hours_pass_by_its_own_clock(db):
    shop = MerchantFactory(is_sandbox=True)
    order = unshipped_order(shop)
    request = file_request(order)
    assert requests.tell_overdue(by=BUYER) == (0, 0)
    shop.clock_ahead = timedelta(hours=49)
    shop.save()
    assert requests.tell_overdue(by=BUYER) == (1, 0)
    request.refresh_from_db()
    assert request.told_at > request.answer_by_at


@pytest.mark.req("AUTO-11")
def test_one_that_cannot_be_told_holds_up_nobody(shop, monkeypatch):
    orders = [unshipped_order(shop) for _ in range(3)]
    last = max(file_request(order).answer_by_at for order in orders)
    record = requests.lifecycle.remember

    def fail_once(changes):
        if changes[0].order.pk == orders[1].pk:
            raise RuntimeError("broken")
        return record(changes)

    with clock.stopped(last):
        monkeypatch.setattr(requests.lifecycle, "remember", fail_once)
        assert requests.tell_overdue(by=BUYER) == (2, 1)
        monkeypatch.setattr(requests.lifecycle, "remember", record)
        assert requests.tell_overdue(by=BUYER) == (1, 0)
    assert [kinds(order).count("N22") for order in orders] == [1, 1, 1]


@pytest.mark.race
@pytest.mark.req("BUYERCANCEL-07", "BUYERCANCEL-05")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_asked_twice_at_once_one_request_stands(shop):
    with racers(2) as run:
        for _round in range(10):
            order = unshipped_order(shop)
            answers = run(*[lambda order=order: file_request(order)] * 2)
            assert [a for a in answers if isinstance(a, str)] == ["CANCELLATION_REQUESTED"]
            assert BuyerRequest.objects.filter(order=order).count() == 1
            assert kinds(order).count("N20") == 1
            due = BuyerRequest.objects.get(order=order).answer_by_at
            BuyerRequest.objects.filter(order=order).update(answer_by_at=due - timedelta(hours=48))
            told = run(*[lambda: requests.tell_overdue(by=BUYER)] * 2)
            assert sum(count for count, _failed in told) == 1
            assert kinds(order).count("N22") == 1


@pytest.mark.race
@pytest.mark.req("BUYERCANCEL-07")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_without_the_lock_the_database_keeps_one_request(shop, monkeypatch):
    from orders.domain import lifecycle
    from tests.races import broken, unlocked

    monkeypatch.setattr(lifecycle, "lock", unlocked)
    rounds, failures = 12, 0
    with racers(2) as run:
        for _round in range(rounds):
            order = unshipped_order(shop)
            failures += broken(run(*[lambda order=order: file_request(order)] * 2))
            assert BuyerRequest.objects.filter(order=order).count() == 1
    assert failures >= rounds / 2


@pytest.mark.req("F18", "BUYERCANCEL-02")
def test_only_the_buyers_door_asks(order):
    from tests.factories import STAFF

    with pytest.raises(Refused) as refused:
        requests.file_request(order_id=order.pk, reason=RequestReason.OTHER, by=STAFF)
    assert refused.value.code == "INVALID_TRANSITION"
    assert not BuyerRequest.objects.exists()
    assert Order.objects.get(pk=order.pk).version == order.version
