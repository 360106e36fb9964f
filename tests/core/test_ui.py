"""How values look: money, days, instants, statuses and icons."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.test import RequestFactory

from accounts.models import Marketplace

EVENING = datetime(2026, 12, 8, 16, 20, tzinfo=UTC)
UK = Marketplace(country="GB", time_zone="Europe/London", currency="GBP")
JAPAN = Marketplace(country="JP", time_zone="Asia/Tokyo", currency="JPY")


def shown(text: str, place: Marketplace = UK, **values: object) -> str:
    return Template(text).render(Context({"marketplace": place, **values}))


@pytest.mark.req("MONEY-13", "IMPL-32")
@pytest.mark.parametrize(
    ("amount", "currency", "told"),
    [
        ("1250.5", "GBP", "£1,250.50"),
        ("0", "GBP", "£0.00"),
        ("-8", "GBP", "−£8.00"),
        ("1234567.89", "GBP", "£1,234,567.89"),
        ("1500", "JPY", "¥1,500"),
        ("-120", "JPY", "−¥120"),
    ],
)
def test_money(amount, currency, told):
    assert shown("{% money a c %}", a=Decimal(amount), c=currency) == told


@pytest.mark.req("IMPL-05", "IMPL-33")
@pytest.mark.parametrize(
    ("tag", "uk", "japan"),
    [
        ("day at", "Tue 8 Dec 2026", "2026/12/09"),
        ('day at "text"', "8 Dec 2026", "2026/12/09"),
        ('day at "short"', "Tue 8 Dec", "2026/12/09"),
        ('day at "brief"', "8 Dec", "2026/12/09"),
        ("instant at", "8 Dec 2026, 16:20", "2026/12/09, 01:20"),
        ('instant at "zone"', "8 Dec 2026, 16:20 GMT", "2026/12/09, 01:20 JST"),
        ('instant at "full"', "Tue 8 Dec 2026, 16:20 GMT", "2026/12/09, 01:20 JST"),
    ],
)
def test_instants_in_the_zone_and_form_of_the_marketplace(tag, uk, japan):
    for place, told in ((UK, uk), (JAPAN, japan)):
        html = shown("{% " + tag + " %}", place, at=EVENING)
        assert html.endswith(f">{told}</time>")
        assert html.startswith('<time datetime="2026-12-08T16:20')


@pytest.mark.req("IMPL-05")
def test_summer_time_is_named():
    assert shown("{% clock_time at %}", at=datetime(2026, 7, 1, 12, tzinfo=UTC)) == "13:00 BST"
    assert shown("{% clock_time at %}", at=EVENING) == "16:20 GMT"
    night = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert [shown("{% clock_time at %}", at=at) for at in night] == ["01:30 BST", "01:30 GMT"]


def test_a_plain_day_and_nothing():
    html = shown("{% day at %}", at=date(2026, 2, 28))
    assert html == '<time datetime="2026-02-28">Sat 28 Feb 2026</time>'
    assert shown("{% day at %}{% instant at %}", at=None) == "––"


@pytest.mark.req("IMPL-23")
@pytest.mark.parametrize(
    ("status", "word", "shape"),
    [
        ("pending", "Pending", "ring"),
        ("unshipped", "Unshipped", "dot"),
        ("partially_shipped", "Partially shipped", "half"),
        ("shipped", "Shipped", "check"),
        ("cancelled", "Cancelled", "cross"),
    ],
)
def test_a_status_is_a_word_and_a_shape(status, word, shape):
    html = shown("{% pill s %}", s=status)
    assert word in html
    assert f"#i-{shape}" in html
    assert 'aria-hidden="true"' in html


def test_links_set_and_drop_parameters():
    request = RequestFactory().get("/orders/")
    values = {"request": request, "parameters": {"range": "7d", "sub_type": ["prime", "business"]}}
    assert shown('{% querystring_with sort="-date" %}', **values) == (
        "?range=7d&amp;sub_type=prime&amp;sub_type=business&amp;sort=-date"
    )
    assert shown("{% querystring_with range=None sub_type=None %}", **values) == "/orders/"


def test_what_people_typed_stays_text():
    assert shown("{% icon name %}", name='"><script>').count("<script>") == 0


def test_a_row_of_tags_takes_few_steps():
    """A list shows a hundred rows of some dozen values: what formats them is prepared once."""
    row = "{% day at %}{% clock_time at %}{% money a 'GBP' %}{% pill 'shipped' %}{% instant at %}"
    template = Template("{% for n in rows %}" + row + "{% endfor %}")

    def steps(rows: int) -> int:
        called = 0

        def count(_frame: object, event: str, _argument: object) -> None:
            nonlocal called
            called += event == "call"

        context = {"marketplace": UK, "at": EVENING, "a": Decimal("12.50"), "rows": range(rows)}
        sys.setprofile(count)
        try:
            template.render(Context(context))
        finally:
            sys.setprofile(None)
        return called

    steps(1)
    assert (steps(101) - steps(1)) / 100 < 250
