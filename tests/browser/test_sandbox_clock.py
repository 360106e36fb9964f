"""A newcomer sees day 23 and day 30 of the demo shop within a minute, script on and off."""

from __future__ import annotations

import pytest

from orders.domain import demo
from orders.models import Order
from tests.accounts.test_sandbox_clock import cancel_what_is_due

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.req("AUTO-02", "AUTO-08", "AUTO-09", "HOME-02", "IMPL-21", "TECH-05", "TECH-09")
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_newcomer_moves_the_clock_to_the_warning_and_to_the_deadline(open_page, script):
    sign_in = demo.load()[0]
    page = open_page("/", script=script, user=None)
    page.get_by_label("E-mail").fill(sign_in.email)
    page.get_by_label("Password").fill(demo.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/home/")
    assert "Sandbox: the clock shows the real time" in page.locator(".sandbox-bar").inner_text()

    page.get_by_role("link", name="Move the clock").click()
    warned = _next(page, "Warning on the pages")
    page.goto("/orders/?range=all")
    assert "to avoid cancellation" not in _row(page, warned)
    page.goto("/settings/clock/")
    while _next(page, "Warning on the pages") == warned:  # e-mail warnings come in between
        page.get_by_role("button", name="To the next warning").click()
        assert "The clock is now at" in page.locator("[data-message]").inner_text()
        cancel_what_is_due()
    assert "ahead" in page.locator(".sandbox-bar").inner_text()

    page.goto("/home/")
    limit = f"{warned}\nConfirm as shipped by"
    assert limit.replace("\n", " ") in page.locator(".todo").inner_text().replace("\n", " ")
    page.locator(".todo .btn").first.click()
    if "/confirm-shipment/" in page.url:  # the only one at risk
        page.goto("/orders/?status=at_risk")
    assert "to avoid cancellation" in _row(page, warned)

    page.get_by_role("link", name="Move the clock").click()
    ended = _next(page, "Deadline: the order is cancelled")
    page.get_by_role("button", name="To the next deadline").click()
    cancel_what_is_due()
    page.goto("/settings/clock/")
    assert f"Cancelled by the system: not confirmed in time: {ended}" in page.inner_text(
        "#happened"
    )
    page.locator("#happened").get_by_role("link", name=ended).first.click()
    assert "Do not ship" in page.locator(".notice--bad").inner_text()
    assert "Not confirmed within 30 days" in page.locator(".notice--bad").inner_text()
    assert Order.objects.get(number=ended).status == "cancelled"


def _next(page, event: str) -> str:
    """The order to which an event comes next."""
    return page.get_by_role("row", name=event).get_by_role("link").inner_text()


def _row(page, number: str) -> str:
    return page.locator(f"#order-{number.replace('-', '')}").inner_text()
