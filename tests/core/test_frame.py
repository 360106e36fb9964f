"""The frame of every page: menu, account menu, weight."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from core.actor import Actor
from core.navigation import TABS, menu
from tests.factories import unshipped_order
from tests.pages import words

STATIC = Path(__file__).parents[2] / "static"


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


@pytest.mark.req("NAV-01")
def test_the_menu_has_its_tabs_and_entries_in_order():
    assert [str(tab.label) for tab in TABS] == ["Orders", "Integration", "Reports", "Settings"]
    assert [[str(entry.label) for entry in tab.entries] for tab in TABS] == [
        ["Manage Orders", "Order Reports", "Upload Order Related Files"],
        [
            "Checkout Button",
            "Integration Methods",
            "Error Console",
            "Access Key",
            "Upsell Settings",
            "Marketing Toolkit",
        ],
        ["Seller Performance", "Site Metrics & Reports", "Payments", "Feedback"],
        [
            "Account Info",
            "Login Settings",
            "Shipping Settings",
            "Manage Promotions",
            "Manage Taxes",
            "User Permissions",
            "Your Info & Policies",
            "Order Pipeline Settings",
        ],
    ]


@pytest.mark.req("NAV-03")
def test_only_entries_that_lead_somewhere_are_shown(signed_in):
    owner = Actor("form", "Alice", owner=True)
    for tab in menu(owner, "/orders/"):
        assert signed_in.get(tab["href"]).status_code == 200
        for entry in tab["entries"]:
            assert signed_in.get(entry["href"]).status_code == 200
    assert menu(Actor("form", "Nobody"), "/orders/") == []


@pytest.mark.req("NAV-01")
def test_the_current_tab_and_page_are_marked(signed_in):
    page = signed_in.get("/orders/").content.decode()
    assert re.search(r'<a class="tab-main" href="/orders/" data-go="o" aria-current="true">', page)
    assert '<a href="/orders/" aria-current="page">Manage Orders</a>' in page
    elsewhere = signed_in.get("/help/shortcuts/").content.decode()
    assert 'aria-current="true"' not in elsewhere
    assert "subnav" not in elsewhere


@pytest.mark.req("PERMISSION-06")
def test_the_account_menu_says_who_and_where(signed_in):
    page = words(signed_in.get("/orders/"))
    assert "Signed in as Alice Owner" in page
    assert "GBP · Europe/London" in page
    assert re.search(r"Times are shown in (GMT|BST) \(Europe/London\)", page)


def test_single_keys_can_be_switched_off(signed_in, shop):
    address = "/help/shortcuts/"
    assert 'data-shortcuts="off"' not in signed_in.get(address).content.decode()
    answer = signed_in.post(address, {"merchant": shop.pk}, follow=True)
    assert "Shortcuts are off" in words(answer)
    assert ' data-shortcuts="off">' in signed_in.get("/orders/").content.decode()
    answer = signed_in.post(address, {"merchant": shop.pk, "on": "1"}, follow=True)
    assert "Shortcuts are on" in words(answer)
    assert ' data-shortcuts="off">' not in signed_in.get("/orders/").content.decode()


@pytest.mark.req("IMPL-36")
def test_a_message_is_told_once_and_can_take_focus(signed_in, shop):
    answer = signed_in.post("/help/shortcuts/", {"merchant": shop.pk}, follow=True)
    notice = r'<div class="notice notice--good" role="region" aria-label="Result" tabindex="-1" data-message>'
    assert answer.content.decode().count(notice) == 1
    assert notice not in signed_in.get("/help/shortcuts/").content.decode()


@pytest.mark.req("IMPL-18")
def test_pages_are_light(signed_in, shop):
    """Budgets of the design: bytes as sent, and compressed."""
    for _ in range(25):
        unshipped_order(shop)
    _weighs(signed_in.get("/orders/").content, 100, 12)
    _weighs(signed_in.get("/help/shortcuts/").content, 40, 8)
    css = (STATIC / "css/tokens.css").read_bytes() + (STATIC / "css/app.css").read_bytes()
    _weighs(css, 90, 18)
    _weighs((STATIC / "js/app.js").read_bytes(), 14, 4.5)


def _weighs(content: bytes, most: float, most_compressed: float) -> None:
    assert len(content) <= most * 1000
    assert len(gzip.compress(content)) <= most_compressed * 1000


def test_no_raw_colour_stands_in_styles_or_templates():
    styles = re.sub(r"/\*.*?\*/", "", (STATIC / "css/app.css").read_text(), flags=re.DOTALL)
    styles = styles.partition("@layer print")[0]  # paper is white, ink is black
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[\s;,)])", styles) == []
    for page in (STATIC.parent / "templates").rglob("*.html"):
        if "documents" not in page.parts:
            assert re.findall(r'(?:fill|stroke)="#', page.read_text()) == [], page
