"""Settings > Audit trail: everything that happened in the account, searched, page by page."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.permissions import Preset
from audit.models import Entry
from orders.domain import notes, trail
from orders.domain.trail import ACCOUNT_EVENTS, Asked
from tests.factories import STAFF, MembershipFactory, confirm, unshipped_order
from tests.pages import words

PAGE = "/settings/audit-trail/"


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


@pytest.mark.req("IMPL-04")
def test_what_happened_stands_there_newest_first(signed_in, shop):
    order = unshipped_order(shop)
    confirm(order)
    assert f'href="{PAGE}"' in signed_in.get("/settings/account/").content.decode()
    told = words(signed_in.get(PAGE))
    assert told.index("Shipment confirmed") < told.index("Payment verified")
    assert told.index("Payment verified") < told.index("Order placed")
    assert "unshipped → shipped" in told
    assert order.number in told


@pytest.mark.req("IMPL-04")
def test_it_is_searched_by_order_person_door_kind_and_day(signed_in, shop, alice):
    one, other = unshipped_order(shop), unshipped_order(shop)
    notes.add_note(order_id=one.pk, text="Ring twice", by=STAFF)

    def shown(query: str) -> str:
        return words(signed_in.get(f"{PAGE}?{query}"))

    assert other.number not in shown(f"order={one.number.replace('-', '')}")
    assert one.number in shown(f"person={STAFF.name}")
    assert other.number not in shown(f"person={STAFF.name}")
    assert "Nothing of the kind has happened." in shown("door=channel")
    assert "Nothing of the kind has happened." in shown("kind=keys")
    assert one.number in shown("kind=orders&door=form")
    day = shop.marketplace.local_date(one.purchased_at).isoformat()
    assert one.number in shown(f"from={day}&to={day}")
    assert "Nothing of the kind has happened." in shown("from=2001-01-01&to=2001-01-02")
    wrong = signed_in.get(f"{PAGE}?from=yesterday&order=12")
    assert wrong.status_code == 422
    assert "Enter a date, like" in words(wrong)
    assert "Enter an Order ID of 17 digits" in words(wrong)


@pytest.mark.req("IMPL-04", "IMPL-34")
def test_a_page_reads_a_bounded_stretch_and_leads_on(signed_in, shop, monkeypatch):
    monkeypatch.setattr(trail, "PAGE", 3)
    monkeypatch.setattr(trail, "STRETCH", 4)
    for _each in range(4):
        unshipped_order(shop)
    everything = set(Entry.objects.filter(merchant=shop).values_list("number", flat=True))
    for asked in (Asked(), Asked(door="gateway"), Asked(door="channel")):
        seen, before = [], None
        while True:
            part = trail.stretch(shop.pk, asked, before=before)
            seen += [entry.number for entry in part.entries]
            if part.older is None:
                break
            before = part.older
        fit = Entry.objects.filter(merchant=shop, number__in=everything)
        fit = fit.filter(door=asked.door) if asked.door else fit
        assert seen == sorted(fit.values_list("number", flat=True), reverse=True)
    page = signed_in.get(PAGE)
    assert "Older" in words(page)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        signed_in.get(PAGE)
    assert len(queries) <= 8


@pytest.mark.req("IMPL-04", "REPORT-18")
def test_it_is_taken_away_as_text_which_is_remembered(signed_in, shop):
    order = unshipped_order(shop)
    Entry.objects.bulk_create(
        [
            Entry(
                merchant=shop,
                number=9000,
                event="order.note_added",
                happened_at=order.purchased_at,
                door="form",
                actor="=1+1\tx",
                order=order,
            )
        ]
    )
    answer = signed_in.get(f"{PAGE}export/?kind=orders")
    lines = b"".join(answer).decode().split("\r\n")
    assert lines[0].split("\t")[:3] == ["number", "time", "who"]
    assert lines[1].split("\t")[2] == "'=1+1 x"
    assert order.number in lines[1]
    assert Entry.objects.filter(merchant=shop, event="trail.exported").count() == 1


@pytest.mark.req("IMPL-04", "PERMISSION-02", "INV-16")
def test_who_may_not_look_and_whose_it_is(client, shop, charlie):
    theirs = unshipped_order(charlie.memberships.get().merchant)
    unshipped_order(shop)
    client.force_login(MembershipFactory(merchant=shop, preset=Preset.FULFILMENT).user)
    assert client.get(PAGE).status_code == 403
    client.force_login(MembershipFactory(merchant=shop, preset=Preset.MANAGER).user)
    assert theirs.number not in words(client.get(PAGE))
    assert theirs.number not in words(client.get(f"{PAGE}?order={theirs.number}"))


def test_every_event_of_an_account_has_words():
    assert all(str(label) for label in ACCOUNT_EVENTS.values())
    assert trail.label_of("order.placed") == "Order placed"
