"""axe finds nothing on any page, and no page scrolls sideways on a phone."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings

from accounts.access import SECOND_STEP
from core import clock, jobs
from tests.accounts.authenticator import turn_on
from tests.factories import (
    AMOUNTS,
    UserFactory,
    checked_upload,
    failed_report,
    order_in,
    refund,
    shipped_order,
    unshipped_order,
)
from tests.reports.files import make, read, schedule
from uploads.enums import Feed
from uploads.models import Upload

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

STATUSES = ("pending", "unshipped", "partially_shipped", "shipped", "cancelled")


@pytest.fixture
def paths(cast, settings, tmp_path):
    """Every page, with the orders that bring out what is on it."""
    settings.MEDIA_ROOT = str(tmp_path)
    shop, _alice = cast
    orders = {status: order_in(status, shop, lines=2) for status in STATUSES}
    late = unshipped_order(shop, age=timedelta(days=24), is_business=True, is_prime=True)
    given = shipped_order(shop, amounts=AMOUNTS)
    refund(given, "16.00", memo="Chipped")
    number = orders["unshipped"].number
    shop.is_sandbox, shop.clock_ahead = True, timedelta(hours=1)
    shop.save()
    return [
        "/home/",
        "/settings/clock/",
        "/orders/?status=at_risk",
        "/orders/?by=refunded&range=1d",
        f"/orders/{number}/dates/",
        "/orders/",
        "/orders/?status=all&range=90d",
        "/orders/?advanced=1&pending=1",
        "/orders/?search=order_id&keyword=12-34",
        "/orders/?search=order_id&keyword=203-0000000-0000000",
        "/orders/?status=pending&range=1d&sub_type=prime",
        *(f"/orders/{order.number}/" for order in (*orders.values(), late, given)),
        f"/orders/{number}/confirm-shipment/",
        f"/orders/{number}/cancel/",
        f"/orders/{given.number}/refund/",
        f"/orders/{given.number}/refund/?tab=partial",
        f"/orders/{orders['cancelled'].number}/confirm-shipment/",
        f"/orders/{number}/packing-slip/",
        f"/orders/packing-slips.pdf?order={orders['cancelled'].number}&order={number}",
        "/orders/203-0000000-0000000/",
        "/mail/",
        f"/mail/{_a_letter()}/",
        "/nowhere/",
        *_report_pages(shop),
        *_upload_pages(shop),
    ]


def _report_pages(shop):
    schedule(shop)
    failed_report(shop)
    made = make(shop, days=30)
    base = "/orders/reports/"
    pages = [base + page for page in ("", "unshipped/", "schedule/", "columns/")]
    return [*pages, f"{base}{made.pk}/?order={read(made)[0]['order-id']}"]


def _upload_pages(shop):
    base = "/orders/uploads/"
    kinds = [f"{base}{feed.value}/" for feed in Feed]
    checked = checked_upload(shop)
    checked.records.create(
        number=1,
        place=1,
        parcel=1,
        text="1\t2",
        is_done=True,
        messages=[{"code": 1102, "field": "order-id", "value": "1", "text": "Enter it whole."}],
    )
    Upload.objects.filter(pk=checked.pk).update(count=1, failed=1)
    waiting = Upload.objects.create(
        merchant=shop,
        feed=Feed.SHIPPING,
        file_name="x",
        size=1,
        uploaded_at=clock.now(),
        state="in_progress",
        count=9,
    )
    helps = ["/help/error-codes/", "/help/templates/shipping-confirmation/"]
    results = [f"{base}{each.pk}/" for each in (checked, waiting)]
    return [*kinds, f"{kinds[0]}history/", *results, *helps]


def _a_letter():
    from core import jobs
    from notifications.models import LetterCopy

    jobs.run("send-outbox")
    return LetterCopy.objects.filter(outbox__kind="N05").latest("pk").pk


@pytest.mark.req("IMPL-23")
@pytest.mark.parametrize(
    ("width", "dark"), [(1440, False), (1440, True), (390, False), (390, True)]
)
def test_axe_finds_nothing(open_page, paths, width, dark):
    page = open_page("/orders/", width=width, dark=dark)
    found = {}
    for path in paths:
        page.goto(path)
        if problems := _violations(page):
            found[path] = problems
    assert found == {}


@pytest.mark.req("IMPL-23", "IMPL-25")
def test_axe_finds_nothing_on_forms_with_errors_and_the_last_look(open_page, cast):
    shop, _alice = cast
    order, given = unshipped_order(shop), shipped_order(shop)
    page = open_page(f"/orders/{order.number}/confirm-shipment/")
    page.fill("#ship_date", "2031-01-01")
    page.get_by_role("button", name="Confirm shipment").click()
    assert _violations(page) == []
    page.goto(f"/orders/{order.number}/dates/")
    page.fill("#deliver_to", "2020-01-01")
    page.get_by_role("button", name="Revise dates").click()
    assert _violations(page) == []
    page.goto(f"/orders/{order.number}/cancel/")
    page.get_by_role("button", name="Submit").click()
    assert _violations(page) == []
    page.goto(f"/orders/{given.number}/refund/?tab=partial")
    page.get_by_role("button", name="Submit Partial Refund").click()
    assert _violations(page) == []
    page.goto(f"/orders/{given.number}/refund/")
    page.select_option("#reason", "CustomerReturn")
    page.get_by_role("button", name="Submit Full Refund").click()
    assert _violations(page) == []


@pytest.mark.req("IMPL-23")
@pytest.mark.parametrize("path", ["/login/", "/password-reset/"])
def test_axe_finds_nothing_before_sign_in(open_page, path):
    page = open_page(path, user=None)
    assert _violations(page) == []


@pytest.mark.req("IMPL-24")
@pytest.mark.parametrize("width", [390, 360, 320])
def test_no_page_scrolls_sideways(open_page, paths, width):
    page = open_page("/orders/", width=width)
    wide = {}
    for path in paths:
        page.goto(path)
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if over > 0:
            wide[path] = over
    assert wide == {}


def _violations(page) -> list[str]:
    result = Axe().run(page)
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')[:160]}"
        for violation in result.response["violations"]
        for node in violation["nodes"][:3]
    ]


@pytest.mark.req("IMPL-23", "IMPL-24", "PLATFORM-01")
@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_axe_finds_nothing_on_the_operators_pages(open_page, client, shop, width, dark):
    shipped_order(shop)
    jobs.run("invariant-check")
    jobs.run("alerts")
    operator = UserFactory(email="olive@platform.example", is_operator=True)
    turn_on(operator)
    client.force_login(operator)
    session = client.session
    session[SECOND_STEP] = True
    session.save()
    page = open_page("/operator/", user=operator, width=width, dark=dark)
    found = {}
    for path in ("/operator/work/", "/operator/integrity/"):
        page.goto(path)
        assert page.url.endswith(path)
        if violations := _violations(page):
            found[path] = violations
    assert found == {}


@pytest.mark.req("IMPL-23")
def test_every_icon_that_a_page_names_is_there():
    root = Path(settings.BASE_DIR)
    there = set(re.findall(r'id="i-([a-z]+)"', (root / "static/icons.svg").read_text()))
    named = {
        name
        for template in (root / "templates").rglob("*.html")
        for name in re.findall(r'{% icon "([a-z]+)"', template.read_text())
    }
    assert named - there == set()
