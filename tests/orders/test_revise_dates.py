"""The estimated dates, told anew to the buyer; lateness stays with the first promise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from audit.models import Entry
from core import clock
from core.refusal import Refused
from notifications.models import Outbox
from orders.domain import revisions
from orders.domain.revisions import Dates
from orders.models import Order
from tests.factories import STAFF, confirm, order_in, shipped_order, unshipped_order
from tests.pages import form_of, snapshot, words

DAY = timedelta(days=1)
NOON = datetime(2026, 12, 8, 12, tzinfo=UTC)  # a Tuesday


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def order(shop) -> Order:
    """Bought on Tuesday: to ship by Thursday 10, to arrive from Monday 14 to Thursday 17."""
    with clock.stopped(NOON):
        return unshipped_order(shop, quantity=3)


def page_of(order) -> str:
    return f"/orders/{order.number}/dates/"


def revise(client, order, **typed):
    days = {"ship": "2026-12-14", "deliver_from": "2026-12-16", "deliver_to": "2026-12-21"}
    fields = form_of(client, page_of(order)) | days | typed
    return client.post(page_of(order), fields)


@pytest.mark.req("DETAIL-15", "IMPL-04", "SHIP-19")
def test_the_buyer_is_owed_old_and_new_dates_and_lateness_stays(signed_in, order):
    first = order.ship_by_at
    with clock.stopped(NOON + DAY):
        answer = revise(signed_in, order)
    assert answer.status_code == 302
    assert answer["Location"] == order.get_absolute_url()
    fresh = Order.objects.get(pk=order.pk)
    assert (fresh.ship_by_at, fresh.version) == (first, order.version + 1)
    assert fresh.deliver_to_date == date(2026, 12, 17)
    assert fresh.estimated_ship_date == date(2026, 12, 14)
    assert fresh.estimated_deliver_from_date == date(2026, 12, 16)
    assert fresh.estimated_deliver_to_date == date(2026, 12, 21)
    entry = Entry.objects.filter(order=order).latest("number")
    assert entry.event == "order.dates_revised"
    assert entry.before == {
        "ship_date": "2026-12-10", "deliver_from": "2026-12-14", "deliver_to": "2026-12-17"
    }  # fmt: skip
    assert entry.after == {
        "ship_date": "2026-12-14", "deliver_from": "2026-12-16", "deliver_to": "2026-12-21"
    }  # fmt: skip
    owed = Outbox.objects.get(order=order, kind="N18")
    assert (owed.channel, owed.payload) == ("buyer_email", {"history": entry.number})

    with clock.stopped(NOON + 3 * DAY):  # after the first promise, before the second
        page = words(signed_in.get(order.get_absolute_url()))
        assert "Shipment is late" in page
        assert "Estimated delivery 16 Dec to 21 Dec 2026" in page
        assert "Estimated shipping Mon 14 Dec 2026" in page
        told = "Estimated dates revised. Ships by 14 Dec 2026, arrives 16 Dec 2026 to 21 Dec 2026"
        assert told in page


@pytest.mark.req("DETAIL-15")
def test_they_can_be_revised_again_and_earlier(signed_in, order):
    with clock.stopped(NOON):
        revise(signed_in, order)
        answer = revise(
            signed_in, order, ship="2026-12-08", deliver_from="2026-12-09", deliver_to="2026-12-09"
        )
        assert "The buyer is told by e-mail." in words(signed_in.get(answer["Location"]))
    assert Outbox.objects.filter(order=order, kind="N18").count() == 2
    assert Entry.objects.filter(order=order, event="order.dates_revised").count() == 2


@pytest.mark.req("DETAIL-15", "IMPL-25")
@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"ship": "2026-12-07"}, "The date must be today or later"),
        ({"deliver_to": "2026-12-07"}, "The date must be today or later"),
        ({"ship": ""}, "Enter a date, like 8 Dec 2026"),
        ({"deliver_from": "soon"}, "Enter a date, like 8 Dec 2026"),
        ({"deliver_to": "２０２６-12-21"}, "Enter a date, like 8 Dec 2026"),
        ({"deliver_from": "2026-12-13"}, "Delivery must not begin before shipping"),
        ({"deliver_to": "2026-12-15"}, "The last day must not lie before the first"),
        ({"deliver_to": "2028-01-01"}, "The date must lie within a year"),
        (
            {"ship": "2026-12-10", "deliver_from": "2026-12-14", "deliver_to": "2026-12-17"},
            "These are the dates the order has already",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(signed_in, order, typed, error):
    before = snapshot(order)
    with clock.stopped(NOON):
        answer = revise(signed_in, order, **typed)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert error in html
    assert "<title>Error: Revise dates" in html
    field = "deliver_to" if len(typed) == 3 else next(iter(typed))
    assert f'aria-describedby="{field}-error"' in html
    assert typed[field] in html
    assert snapshot(order) == before


@pytest.mark.req("DETAIL-15")
def test_of_a_shipped_order_only_the_arrival_is_revised(signed_in, order):
    with clock.stopped(NOON):
        confirm(order)
        fields = form_of(signed_in, page_of(order))
        assert "ship" not in fields
        answer = signed_in.post(page_of(order), fields | {"deliver_to": "2026-12-22"})
    assert answer.status_code == 302
    fresh = Order.objects.get(pk=order.pk)
    assert fresh.estimated_ship_date == date(2026, 12, 10)
    assert fresh.estimated_deliver_to_date == date(2026, 12, 22)
    wanted = Dates(date(2026, 12, 9), date(2026, 12, 20), date(2026, 12, 22))
    with clock.stopped(NOON), pytest.raises(Refused) as no:
        revisions.revise_dates(order_id=order.pk, wanted=wanted, by=STAFF)
    assert no.value.refusal.field == "ship"


@pytest.mark.req("DETAIL-15", "PENDING-04")
@pytest.mark.parametrize("status", ["pending", "cancelled"])
def test_what_is_not_to_be_shipped_has_no_dates_to_revise(signed_in, shop, status):
    order = order_in(status, shop)
    before = snapshot(order)
    answer = signed_in.get(page_of(order))
    assert answer.status_code == 409
    assert "Revise dates" not in words(signed_in.get(order.get_absolute_url()))
    today = order.marketplace.local_date(clock.now())
    wanted = Dates(today, today, today)
    with pytest.raises(Refused):
        revisions.revise_dates(order_id=order.pk, wanted=wanted, by=STAFF)
    assert snapshot(order) == before


@pytest.mark.req("IMPL-08", "F16", "DETAIL-15")
def test_a_stale_page_is_refused_and_keeps_what_was_typed(signed_in, order):
    with clock.stopped(NOON):
        fields = form_of(signed_in, page_of(order))
        confirm(order, 1)
        before = snapshot(order)
        answer = signed_in.post(page_of(order), fields | {"deliver_to": "2026-12-24"})
    assert answer.status_code == 409
    assert "Someone else changed this order" in words(answer)
    assert 'value="2026-12-24"' in answer.content.decode()
    assert snapshot(order) == before


@pytest.mark.req("IMPL-01", "INV-02", "DETAIL-15")
def test_a_form_sent_twice_revises_once(signed_in, order):
    with clock.stopped(NOON):
        fields = form_of(signed_in, page_of(order)) | {"deliver_to": "2026-12-24"}
        for _ in range(2):
            assert signed_in.post(page_of(order), fields).status_code == 302
        other = signed_in.post(page_of(order), fields | {"deliver_to": "2026-12-25"})
    assert other.status_code == 422
    assert Outbox.objects.filter(order=order, kind="N18").count() == 1


@pytest.mark.req("PERMISSION-02", "DETAIL-15")
def test_a_reader_may_not_and_is_offered_nothing(client, bob, charlie, order):
    client.force_login(bob)
    assert client.get(page_of(order)).status_code == 403
    assert "Revise dates" not in words(client.get(order.get_absolute_url()))
    client.force_login(charlie)
    assert client.get(page_of(order)).status_code == 404


@pytest.mark.req("DETAIL-15")
def test_the_form_never_offers_a_day_that_is_over(signed_in, order):
    with clock.stopped(NOON + 7 * DAY):
        fields = form_of(signed_in, page_of(order))
    assert [fields[name] for name in ("ship", "deliver_from", "deliver_to")] == [
        "2026-12-15", "2026-12-15", "2026-12-17",
    ]  # fmt: skip


@pytest.mark.req("AUTO-16", "AUTO-08")
def test_beside_the_warning_it_says_how_much_the_promise_leaves(signed_in, order):
    with clock.stopped(NOON + 24 * DAY):
        page = words(signed_in.get(order.get_absolute_url()))
    assert "30 days are the outer limit." in page
    assert "A promise of 6 to 9 days leaves 21 to 24 days at most for confirming." in page


@pytest.mark.parametrize("lines", [1, 3, 100])
def test_the_number_of_queries_does_not_grow(signed_in, shop, lines, django_assert_max_num_queries):
    order = shipped_order(shop, lines=lines)
    with django_assert_max_num_queries(10):
        signed_in.get(page_of(order))
